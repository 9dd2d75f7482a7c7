/**
 * Who belongs to the group and in which capacity: the configuration, an immutable value in one
 * canonical form. How one follows from another is in `membership.ts`.
 *
 *                    voters   votersOutgoing   learners   learnersNext
 *     voter            x
 *     joining          x                                                 (joint)
 *     staying          x            x                                    (joint)
 *     leaving                       x                                    (joint)
 *     being demoted                 x                          x         (joint)
 *     learner                                     x
 */
import { type ErrorFields, type KontikiErrorOf, kontikiError } from '../base/errors.js';
import type { MemberId } from './types.js';

/**
 * A configuration in canonical form: every list ascending and without repeats, learners apart from
 * voters, and frozen. It is joint while `votersOutgoing` is not empty; then a majority of each half
 * has to agree (thesis §4.3). It is also a {@link ConfState}, to be stored as it is.
 *
 * @since 0.1.0
 */
export interface Configuration {
  /** The incoming half, or the only one. */
  readonly voters: readonly MemberId[];
  /** The half that goes when the joint state is left. */
  readonly votersOutgoing: readonly MemberId[];
  /** Receive the log and do not vote. */
  readonly learners: readonly MemberId[];
  /** Outgoing voters that become learners when the joint state is left. */
  readonly learnersNext: readonly MemberId[];
  /** Whether the leader itself proposes to leave the joint state; false while not joint. */
  readonly autoLeave: boolean;
}

/**
 * A configuration as it is stored and sent: lists in any order, one that is empty may be absent.
 * {@link restoreConfiguration} makes a {@link Configuration} of it.
 *
 * @since 0.1.0
 */
export interface ConfState {
  readonly voters?: readonly MemberId[] | undefined;
  readonly votersOutgoing?: readonly MemberId[] | undefined;
  readonly learners?: readonly MemberId[] | undefined;
  readonly learnersNext?: readonly MemberId[] | undefined;
  readonly autoLeave?: boolean | undefined;
  /**
   * What the driver keeps beside the configuration, such as names and addresses: stored and sent with
   * it, at most 120 KiB, which a snapshot file has room for; the core does not read it. Empty is the same
   * as absent.
   */
  readonly context?: Uint8Array | undefined;
}

/** Nobody: the configuration of a member that waits for a snapshot. @since 0.1.0 */
export const emptyConfiguration: Configuration = canonical({});

/**
 * Reads a stored configuration.
 *
 * @throws {KontikiError} CONFIGURATION_INVALID, reason `malformed`: no sequence of changes leads to
 * such a configuration
 * @since 0.1.0
 */
export function restoreConfiguration(state: ConfState): Configuration {
  const configuration = canonical(state);
  checkConfiguration(configuration);
  return configuration;
}

/**
 * Whether two states describe the same configuration: order and absent lists do not matter, nor does the
 * context; repeats and `autoLeave` do.
 *
 * @since 0.1.0
 */
export function isSameConfState(a: ConfState, b: ConfState): boolean {
  const one = canonical(a);
  const other = canonical(b);
  const same = (left: readonly MemberId[], right: readonly MemberId[]): boolean =>
    left.length === right.length && left.every((id, at) => id === right[at]);
  return (
    same(one.voters, other.voters) &&
    same(one.votersOutgoing, other.votersOutgoing) &&
    same(one.learners, other.learners) &&
    same(one.learnersNext, other.learnersNext) &&
    one.autoLeave === other.autoLeave
  );
}

/** @since 0.1.0 */
export function isJoint(configuration: Configuration): boolean {
  return configuration.votersOutgoing.length > 0;
}

/** Whether `id` votes in either half. @since 0.1.0 */
export function isVoter(configuration: Configuration, id: MemberId): boolean {
  return configuration.voters.includes(id) || configuration.votersOutgoing.includes(id);
}

/**
 * Every member, ascending: those whose progress the leader keeps. Learners to be are among them, as
 * outgoing voters.
 *
 * @since 0.1.0
 */
export function memberIds(configuration: Configuration): MemberId[] {
  const { voters, votersOutgoing, learners } = configuration;
  return ascending(new Set([...voters, ...votersOutgoing, ...learners]));
}

/** The parts of a configuration in any order. @since 0.1.0 */
export interface ConfigurationParts {
  readonly voters?: Iterable<MemberId> | undefined;
  readonly votersOutgoing?: Iterable<MemberId> | undefined;
  readonly learners?: Iterable<MemberId> | undefined;
  readonly learnersNext?: Iterable<MemberId> | undefined;
  readonly autoLeave?: boolean | undefined;
}

/** Sorts and freezes; checks nothing. @since 0.1.0 */
export function canonical(parts: ConfigurationParts): Configuration {
  return Object.freeze({
    voters: Object.freeze(ascending(parts.voters ?? [])),
    votersOutgoing: Object.freeze(ascending(parts.votersOutgoing ?? [])),
    learners: Object.freeze(ascending(parts.learners ?? [])),
    learnersNext: Object.freeze(ascending(parts.learnersNext ?? [])),
    autoLeave: parts.autoLeave ?? false,
  });
}

/**
 * @throws {KontikiError} CONFIGURATION_INVALID, reason `malformed`
 * @since 0.1.0
 */
export function checkConfiguration(configuration: Configuration): void {
  const expected = brokenRule(configuration);
  if (expected !== undefined) {
    throw configurationInvalid('malformed', expected, describeConfiguration(configuration));
  }
}

/** The first rule that does not hold, in words (semantics §12.3). @since 0.1.0 */
export function brokenRule(configuration: Configuration): string | undefined {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = configuration;
  for (const list of [voters, votersOutgoing, learners, learnersNext]) {
    if (!list.every(isMemberId)) return 'member ids from 1 to 2^53-1';
    if (!list.every((id, at) => at === 0 || (list[at - 1] as number) < id)) {
      return 'lists in ascending order without repeats';
    }
  }
  if (voters.length === 0 && memberIds(configuration).length > 0) return 'at least one voter';
  // Sets, since the lists may have come from a peer and be long.
  const incoming = new Set(voters);
  const outgoing = new Set(votersOutgoing);
  if (learners.some((id) => incoming.has(id) || outgoing.has(id))) {
    return 'no learner among the voters';
  }
  if (!learnersNext.every((id) => outgoing.has(id))) return 'learnersNext to be outgoing voters';
  if (learnersNext.some((id) => incoming.has(id))) {
    return 'learnersNext apart from the incoming voters';
  }
  if (autoLeave && !isJoint(configuration)) return 'autoLeave only while joint';
  return undefined;
}

/** A refusal; `expected` and `got` complete the sentence. Nothing was changed. @since 0.1.0 */
export function configurationInvalid(
  reason: ErrorFields['CONFIGURATION_INVALID']['reason'],
  expected: string,
  got: string,
): KontikiErrorOf<'CONFIGURATION_INVALID'> {
  const message = `membership: expected ${expected}, got ${got}`;
  return kontikiError('CONFIGURATION_INVALID', message, { reason, outcome: 'rejected' });
}

/** For messages: only the lists that hold something. @since 0.1.0 */
export function describeConfiguration(configuration: Configuration): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = configuration;
  const parts = Object.entries({ voters, votersOutgoing, learners, learnersNext })
    .filter(([name, ids]) => name === 'voters' || ids.length > 0)
    .map(([name, ids]) => `${name} [${ids.join(' ')}]`);
  return `${parts.join(' ')}${autoLeave ? ' autoLeave' : ''}`;
}

function isMemberId(id: MemberId): boolean {
  return Number.isSafeInteger(id) && id >= 1;
}

function ascending(ids: Iterable<MemberId>): MemberId[] {
  return [...ids].sort((a, b) => a - b);
}
