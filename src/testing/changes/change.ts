/** Everything that an operator does to the membership, as one union of values, and how each is done. */
import type { Random } from '../../base/prng.js';
import type { ChangeContext, ChangeType } from './change-type.js';
import { type LeaderMovedChange, leaderMovedChange } from './leader-moved.js';
import { type MemberAddedChange, memberAddedChange } from './member-added.js';
import { type MemberMovedChange, memberMovedChange } from './member-moved.js';
import { type MemberRemovedChange, memberRemovedChange } from './member-removed.js';
import { type MemberReplacedChange, memberReplacedChange } from './member-replaced.js';
import { type MemberWipedChange, memberWipedChange } from './member-wiped.js';

/** @since 0.1.0 */
export type Change =
  | LeaderMovedChange
  | MemberAddedChange
  | MemberMovedChange
  | MemberRemovedChange
  | MemberReplacedChange
  | MemberWipedChange;

/** @since 0.1.0 */
export type ChangeKind = Change['kind'];

type ChangeTypes = {
  readonly [K in ChangeKind]: ChangeType<Extract<Change, { readonly kind: K }>>;
};

const types: ChangeTypes = {
  'leader-moved': leaderMovedChange,
  'member-added': memberAddedChange,
  'member-moved': memberMovedChange,
  'member-removed': memberRemovedChange,
  'member-replaced': memberReplacedChange,
  'member-wiped': memberWipedChange,
};

/** Every kind there is, in a fixed order. @since 0.1.0 */
export const changeKinds: readonly ChangeKind[] = Object.keys(types).sort() as ChangeKind[];

/** Draws a change of a kind. @since 0.1.0 */
export function drawChangeOf(kind: ChangeKind, random: Random, members: readonly string[]): Change {
  return types[kind].draw(random, members);
}

/** Carries a change out. @since 0.1.0 */
export function makeChange(change: Change, context: ChangeContext): Promise<void> {
  const type = types[change.kind] as ChangeType<Change>;
  return type.make(change, context);
}
