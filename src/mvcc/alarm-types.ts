/**
 * Alarms (DESIGN §4.21): what the group knows to be wrong with a member's state. They are replicated and
 * stored like all else, so a restart or a snapshot does not end one; a command does.
 */

/**
 * The member of an alarm that names nobody: members differ, and nobody can say who is right.
 *
 * @since 0.1.0
 */
export const nobody = 0;

/** Raises the alarm that a member's state is corrupt, or ends it. @since 0.1.0 */
export interface AlarmCommand {
  readonly op: 'alarm';
  /** Id of a member; {@link nobody}: of some that differ. */
  readonly member: number;
  readonly isRaised: boolean;
}

/** @since 0.1.0 */
export interface AlarmResult {
  readonly op: 'alarm';
  /** The current one, which an alarm does not change. */
  readonly revision: number;
  /** Whether it was not so before. */
  readonly isChanged: boolean;
}

/** An alarm that is raised. @since 0.1.0 */
export interface AlarmEntry {
  /** As in {@link AlarmCommand}. */
  readonly member: number;
  /** Index of the entry that raised it. */
  readonly index: number;
}
