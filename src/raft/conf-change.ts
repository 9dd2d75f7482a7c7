/**
 * Changes of the configuration as they travel in entries, in etcd's two forms, and what a change
 * asks for: a step of its own, entering the joint state, or leaving it.
 */
import { configurationInvalid } from './configuration.js';
import type { MemberId } from './types.js';

/**
 * What happens to a member. `update` changes nothing in the configuration; its entry carries news
 * about the member, such as an address, in the context.
 *
 * @since 0.1.0
 */
export type ConfChangeType = 'add-voter' | 'add-learner' | 'remove' | 'update';

/** One change of one member. @since 0.1.0 */
export interface ConfChangeSingle {
  /** Adding a member that is there changes its capacity: learner to voter and back. */
  readonly type: ConfChangeType;
  /** 0 for none: the change is ignored, by which the application can turn it down. */
  readonly memberId: MemberId;
}

/** The older form: exactly one change, never through the joint state. @since 0.1.0 */
export interface ConfChange extends ConfChangeSingle {
  /** The proposer's, to recognise its own change; default 0. The core does not read it. */
  readonly id?: number | undefined;
  /** The application's; default empty. The core does not read it. */
  readonly context?: Uint8Array | undefined;
}

/**
 * `auto`: through the joint state when there is more than one change, and out of it as soon as
 * possible. `joint-implicit`: through it in any case. `joint-explicit`: into it, and the application
 * proposes to leave it.
 *
 * @since 0.1.0
 */
export type ConfChangeTransition = 'auto' | 'joint-implicit' | 'joint-explicit';

/** Any number of changes that take effect together. @since 0.1.0 */
export interface ConfChangeV2 {
  readonly transition: ConfChangeTransition;
  /** In order, a later one overrides. Empty with `auto`: leave the joint state. */
  readonly changes: readonly ConfChangeSingle[];
  /** The application's; default empty. The core does not read it. */
  readonly context?: Uint8Array | undefined;
}

/** What a change asks for. @since 0.1.0 */
export type ConfChangeStep =
  | { readonly kind: 'simple' }
  | { readonly kind: 'enter-joint'; readonly autoLeave: boolean }
  | { readonly kind: 'leave-joint' };

/** The change in its newer form; one that has it already is returned as it is. @since 0.1.0 */
export function toConfChangeV2(change: ConfChange | ConfChangeV2): ConfChangeV2 {
  if ('changes' in change) return change;
  const { type, memberId, context } = change;
  return { transition: 'auto', changes: [{ type, memberId }], context };
}

/**
 * What the change asks for, whatever the configuration is. The context does not matter.
 *
 * @throws {KontikiError} CONFIGURATION_INVALID, reason `unknown-change`: no such transition
 * @since 0.1.0
 */
export function classifyChange(change: ConfChange | ConfChangeV2): ConfChangeStep {
  const { transition, changes } = toConfChangeV2(change);
  switch (transition) {
    case 'auto':
      if (changes.length === 0) return { kind: 'leave-joint' };
      return changes.length === 1 ? { kind: 'simple' } : { kind: 'enter-joint', autoLeave: true };
    case 'joint-implicit':
      return { kind: 'enter-joint', autoLeave: true };
    case 'joint-explicit':
      return { kind: 'enter-joint', autoLeave: false };
    default:
      // Not ours to die of: the change was decoded from an entry, perhaps of a newer version.
      throw configurationInvalid('unknown-change', 'a known transition', String(transition));
  }
}
