/**
 * Options of the core, checked once when it is built.
 */
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Random } from '../base/prng.js';
import type { LogReader } from './log-reader.js';
import type { MemberId, Snapshot } from './types.js';

/** @since 0.1.0 */
export interface RaftOptions {
  /** This member; 1 to 2^53-1. */
  readonly id: MemberId;
  /** What is persisted. */
  readonly reader: LogReader;
  /** Draws the election timeouts. */
  readonly random: Random;
  /** Last index the state machine already has; default 0, meaning the start of the log. */
  readonly applied?: number;
  /**
   * The newest snapshot, for members that need entries the log has no more; default: none. While it
   * answers `undefined` such members wait. It reaches at least up to the start of the log; one from
   * before a member was added is not sent to it.
   */
  readonly latestSnapshot?: () => Snapshot | undefined;
  /**
   * Default true: storage and apply answer through `step`, any number of `Ready`s may be under way.
   * False: each `Ready` is carried out whole, then `advance` is called.
   */
  readonly asyncStorageWrites?: boolean;
  /** Ticks without a leader before an election: each drawn from `[n, 2n - 1]`. Default 10. */
  readonly electionTicks?: number;
  /** Ticks between heartbeats; default 1. */
  readonly heartbeatTicks?: number;
  /** Ask before raising the term (thesis §9.6); default true. */
  readonly preVote?: boolean;
  /**
   * A leader that hears from no quorum for an election timeout steps down, and followers that hear
   * from a leader do not vote against it; default true.
   */
  readonly checkQuorum?: boolean;
  /**
   * Milliseconds for which a leader may read without asking, counted from when the heartbeat was
   * sent that a quorum answered; default 0: it always asks. Needs `checkQuorum`, and times in `tick`
   * and `readIndex` (DESIGN §4.18).
   */
  readonly leaseMs?: number;
  /**
   * Ticks for which this member stands by a leader that reads by lease; default `electionTicks`. By
   * this member's clock, the first of them cut short, they must last longer than the `leaseMs` of
   * any member by its own clock.
   */
  readonly pledgeTicks?: number;
  /**
   * Whether a follower passes proposals to its leader; default false: it refuses them, so that the
   * caller knows they were not made.
   */
  readonly proposalForwarding?: boolean;
  /** Whether a leader steps down once it applied its own removal or demotion; default true. */
  readonly stepDownOnRemoval?: boolean;
  /**
   * Takes any change of the configuration into the log; default false. One that cannot be made is
   * then refused when it is applied.
   */
  readonly disableConfChangeValidation?: boolean;
  /** Encoded entry bytes per append message; default `limits.appendBytesMax`. */
  readonly appendBytesMax?: number;
  /** Unacknowledged append messages per follower; default `limits.inflightMessagesMax`. */
  readonly inflightMessagesMax?: number;
  /** Unacknowledged payload bytes per follower; default no limit. */
  readonly inflightBytesMax?: number;
  /** Unapplied payload bytes the leader accepts; default `limits.uncommittedBytesMax`. */
  readonly uncommittedBytesMax?: number;
  /** Encoded bytes under way to the state machine; default `limits.applyBytesMax`. */
  readonly applyBytesMax?: number;
}

/** Options with every default filled in. @since 0.1.0 */
export type RaftConfig = Required<RaftOptions>;

const switches = [
  'asyncStorageWrites',
  'preVote',
  'checkQuorum',
  'proposalForwarding',
  'stepDownOnRemoval',
  'disableConfChangeValidation',
] as const;

/**
 * Fills in defaults and refuses what cannot work.
 *
 * @throws {KontikiError} OPTIONS_INVALID
 * @since 0.1.0
 */
export function raftConfig(options: RaftOptions): RaftConfig {
  // An option that is there and undefined is one that was not given.
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as RaftOptions;
  const config: RaftConfig = {
    pledgeTicks: options.electionTicks ?? 10,
    applied: 0,
    latestSnapshot: () => undefined,
    asyncStorageWrites: true,
    electionTicks: 10,
    heartbeatTicks: 1,
    preVote: true,
    checkQuorum: true,
    leaseMs: 0,
    proposalForwarding: false,
    stepDownOnRemoval: true,
    disableConfChangeValidation: false,
    appendBytesMax: limits.appendBytesMax,
    inflightMessagesMax: limits.inflightMessagesMax,
    inflightBytesMax: Infinity,
    uncommittedBytesMax: limits.uncommittedBytesMax,
    applyBytesMax: limits.applyBytesMax,
    ...given,
  };
  expect(Number.isSafeInteger(config.id) && config.id >= 1, 'id', 'a safe integer >= 1', config.id);
  const { heartbeatTicks, electionTicks } = config;
  expect(isCount(heartbeatTicks), 'heartbeatTicks', 'an integer >= 1', heartbeatTicks);
  const above = Number.isSafeInteger(electionTicks) && electionTicks > heartbeatTicks;
  expect(above, 'electionTicks', `an integer > heartbeatTicks (${heartbeatTicks})`, electionTicks);
  for (const name of switches) {
    expect(typeof config[name] === 'boolean', name, 'true or false', config[name]);
  }
  const { inflightMessagesMax } = config;
  expect(
    isCount(inflightMessagesMax),
    'inflightMessagesMax',
    'an integer >= 1',
    inflightMessagesMax,
  );
  const { appendBytesMax, applied, leaseMs } = config;
  // With 0 each message carries one entry.
  expect(appendBytesMax >= 0, 'appendBytesMax', 'a number >= 0', appendBytesMax);
  for (const name of ['uncommittedBytesMax', 'applyBytesMax', 'inflightBytesMax'] as const) {
    // An apply budget of 0 would stop the member at its first committed entry (semantics O16).
    expect(config[name] >= 1, name, 'a number >= 1', config[name]);
  }
  expect(Number.isSafeInteger(applied) && applied >= 0, 'applied', 'a safe integer >= 0', applied);
  expect(leaseMs >= 0 && leaseMs < Infinity, 'leaseMs', 'a number >= 0', leaseMs);
  expect(isCount(config.pledgeTicks), 'pledgeTicks', 'an integer >= 1', config.pledgeTicks);
  expect(leaseMs === 0 || config.checkQuorum, 'leaseMs', '0 without checkQuorum', leaseMs);
  const window = config.inflightBytesMax >= config.appendBytesMax;
  expect(window, 'inflightBytesMax', '>= appendBytesMax', config.inflightBytesMax);
  return config;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function expect(holds: boolean, name: string, expected: string, got: unknown): void {
  if (holds) return;
  throw kontikiError('OPTIONS_INVALID', `raft: expected ${name} to be ${expected}, got ${got}`);
}
