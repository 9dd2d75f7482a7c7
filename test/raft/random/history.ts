/**
 * What the cluster as a whole has committed: the one log that every member's must be a prefix of,
 * with the state and the configuration behind each entry, worked out apart from any member.
 */
import { isKontikiError } from '../../../src/base/errors.js';
import {
  applyChange,
  type ConfChange,
  type ConfChangeV2,
  type Configuration,
  decodeConfChange,
  type Entry,
  isJoint,
  isSameConfState,
  type MemberId,
  majority,
  memberIds,
  type VoterHalves,
} from '../../../src/raft/index.js';
import { expectRule } from './expect-rule.js';
import { type MachineState, nextState } from './state-machine.js';

/** One committed entry. */
export interface Committed {
  readonly entry: Entry;
  /** A term in which it was known to be committed. */
  readonly term: number;
  readonly state: MachineState;
  /** Why its change of the configuration is refused, by every member alike. */
  readonly refused?: string;
}

/** The application turns down changes whose context begins with this, on every member. */
export const turnedDown = 1;

export function isTurnedDown({ context }: ConfChange | ConfChangeV2): boolean {
  return context?.[0] === turnedDown;
}

export class History {
  readonly #base: MachineState;
  readonly #items: Committed[] = [];
  changes = 0;
  jointEntered = 0;
  jointLeft = 0;
  refused = 0;
  promoted = 0;
  demoted = 0;
  removed = 0;

  constructor(base: MachineState) {
    this.#base = base;
  }

  get lastIndex(): number {
    return this.#base.index + this.#items.length;
  }

  get length(): number {
    return this.#items.length;
  }

  at(index: number): Committed | undefined {
    return this.#items[index - this.#base.index - 1];
  }

  /** Everything committed, oldest first. */
  get items(): readonly Committed[] {
    return this.#items;
  }

  state(index: number): MachineState | undefined {
    return index === this.#base.index ? this.#base : this.at(index)?.state;
  }

  /** Term of a committed index. */
  term(index: number): number | undefined {
    return this.state(index)?.term;
  }

  push(entry: Entry, term: number): void {
    const before = this.#items[this.#items.length - 1]?.state ?? this.#base;
    expectRule(entry.index === before.index + 1, '20.6', `entry ${entry.index} is committed early`);
    const { configuration, refused } = configurationAfter(before.configuration, entry);
    if (refused !== undefined) this.refused += 1;
    if (!isSameConfState(configuration, before.configuration)) {
      this.#count(before.configuration, configuration);
      checkOverlap(before.configuration, configuration);
    }
    const item = { entry, term, state: nextState(before, entry, configuration) };
    this.#items.push(refused === undefined ? item : { ...item, refused });
  }

  #count(before: Configuration, after: Configuration): void {
    this.changes += 1;
    if (isJoint(after) && !isJoint(before)) this.jointEntered += 1;
    if (isJoint(before) && !isJoint(after)) this.jointLeft += 1;
    const ids = memberIds(after);
    if (before.learners.some((id) => after.voters.includes(id))) this.promoted += 1;
    if (after.learners.some((id) => isIn(before, id))) this.demoted += 1;
    if (memberIds(before).some((id) => !ids.includes(id))) this.removed += 1;
  }
}

function isIn({ voters, votersOutgoing }: VoterHalves, id: MemberId): boolean {
  return voters.includes(id) || votersOutgoing.includes(id);
}

function configurationAfter(
  before: Configuration,
  entry: Entry,
): { readonly configuration: Configuration; readonly refused?: string } {
  if (entry.type === 'normal') return { configuration: before };
  const change = decodeConfChange(entry);
  if (isTurnedDown(change)) return { configuration: before };
  try {
    return { configuration: applyChange(before, change).configuration };
  } catch (error) {
    if (!isKontikiError(error, 'CONFIGURATION_INVALID')) throw error;
    return { configuration: before, refused: error.message };
  }
}

/** Whether these members can decide: a majority of each half that there is. */
export function isQuorum(halves: VoterHalves, has: (id: MemberId) => boolean): boolean {
  return [halves.voters, halves.votersOutgoing].every(
    (half) => half.length === 0 || half.filter(has).length >= majority(half.length),
  );
}

/**
 * §20.14: every quorum of the old has a member in common with every quorum of the new. Tried out for
 * every set of members: a quorum of the old whose complement is one of the new breaks it.
 */
export function checkOverlap(before: Configuration, after: Configuration): void {
  if (before.voters.length === 0) return;
  const ids = [...new Set([...memberIds(before), ...memberIds(after)])];
  for (let set = 0; set < 2 ** ids.length; set += 1) {
    const has = (id: MemberId): boolean => ((set >> ids.indexOf(id)) & 1) === 1;
    const apart = isQuorum(before, has) && isQuorum(after, (id) => !has(id));
    expectRule(!apart, '20.14', `${JSON.stringify(before)} and ${JSON.stringify(after)}`);
  }
}
