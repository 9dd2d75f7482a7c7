/**
 * Narrow runs, each hard on one part: sizes so small that what takes days in production happens every
 * second, the faults that hurt this part and no others, and calls that show what it did. A mix of everything
 * meets the same place now and then; a focus meets it all the time.
 */
import { type Random, randomInt } from '../../base/prng.js';
import type { FaultKind } from '../faults/fault.js';
import type { Scenario } from './scenario.js';

/** What a focus decides; the rest is drawn as ever. @since 0.1.0 */
export interface FocusedScenario
  extends Partial<
    Pick<
      Scenario,
      | 'calls'
      | 'clients'
      | 'keys'
      | 'leaseSeconds'
      | 'members'
      | 'path'
      | 'pauseMs'
      | 'tickMs'
      | 'timeoutMs'
      | 'tuning'
      | 'watchers'
    >
  > {
  /** Kinds of faults. All of them come; one may stand here twice, to come twice as often. */
  readonly faults: readonly FaultKind[];
  /** Average virtual milliseconds between two faults. */
  readonly faultEveryMs: number;
}

type Draw = (random: Random) => FocusedScenario;

/** Gone at once, so that whoever is away for a moment needs a snapshot. */
const noLog = { entriesMin: 1, bytesMin: 0, bytesMax: 1 };
const shortLog = { segmentBytes: 2_048, retention: noLog };

const foci = {
  /** Who may lead: votes that a crash cuts off, and writes under way when the leader goes. */
  elections: (random) => ({
    faults: ['crash', 'crash-at', 'crash-at', 'partition', 'power-cut', 'slow-disk'],
    faultEveryMs: 500,
    members: 3,
    clients: one(random, [2, 6]),
    pauseMs: one(random, [20, 60]),
    tickMs: one(random, [10, 50]),
    keys: 3,
    tuning: one(random, [{ segmentBytes: 2_048, logCacheBytes: 0 }, undefined]),
  }),
  /** What the log says is durable. */
  logEnd: (random) => ({
    faults: ['crash', 'crash-at', 'failed-sync', 'flipped-bit', 'power-cut', 'slow-disk'],
    faultEveryMs: 700,
    members: 3,
    clients: 3,
    pauseMs: one(random, [10, 60, 200]),
    keys: 3,
    tuning: {
      segmentBytes: one(random, [2_048, 16_384]),
      retention: noLog,
      logCacheBytes: one(random, [0, 65_536]),
    },
  }),
  /** Entries that others replace while they are on their way to a disk that stalls. */
  replaced: (random) => ({
    faults: ['deposed', 'deposed', 'deposed', 'crash', 'left-behind'],
    faultEveryMs: 1_500,
    members: 3,
    clients: 4,
    pauseMs: one(random, [20, 60]),
    tickMs: one(random, [10, 50]),
    keys: 3,
    watchers: 1,
    timeoutMs: one(random, [100, 300]),
    tuning: {
      segmentBytes: 2_048,
      retention: { entriesMin: 1, bytesMin: one(random, [0, 4_096]), bytesMax: 65_536 },
      logCacheBytes: 0,
    },
  }),
  /** Members that stand still: processes that are suspended, disks that do not answer or are full. */
  stalls: (random) => ({
    faults: ['disk-full', 'pause', 'pause', 'slow-disk', 'stalled-disk', 'stalled-disk'],
    faultEveryMs: 2_000,
    members: 3,
    clients: 4,
    pauseMs: one(random, [20, 60]),
    tickMs: one(random, [10, 50, 100]),
    keys: 3,
    timeoutMs: one(random, [100, 2_000]),
    calls: one(random, [
      { put: 50, get: 50 },
      { put: 50, get: 40, leaseReads: 10 },
    ]),
    tuning: one(random, [{ segmentBytes: 16_384 }, undefined]),
  }),
  /** The keyspace on its engine: flushes that lag behind the log, and what rests on them. */
  state: (random) => ({
    faults: [
      'crash',
      'crash-at',
      'failed-flush',
      'left-behind',
      'lost-batch',
      'slow-disk',
      'slow-disk',
    ],
    faultEveryMs: 700,
    members: 3,
    clients: 3,
    pauseMs: one(random, [20, 100]),
    keys: one(random, [3, 10, 40]),
    calls: one(random, [
      { put: 30, get: 10, range: 10, delete: 10, deleteRange: 3, txn: 10, compact: 6 },
      { put: 25, get: 40, range: 15, delete: 5, txn: 5, compact: 2 },
    ]),
    tuning: {
      ...shortLog,
      flushIntervalMs: one(random, [10, 200]),
      versionCacheBytes: one(random, [0, 16_000, undefined]),
    },
  }),
  /** Answers that are kept for later reads while their keys change. */
  keptReads: (random) => ({
    faults: ['cold-state', 'cold-state', 'left-behind'],
    faultEveryMs: 1_500,
    members: 3,
    clients: 3,
    pauseMs: 60,
    keys: 5,
    watchers: 1,
    calls: { put: 35, get: 50, range: 10, delete: 5 },
    tuning: { flushIntervalMs: 10, versionCacheBytes: one(random, [16_000, undefined]) },
  }),
  /** Snapshots that are made, sent and installed while machines die. */
  installs: (random) => ({
    faults: [
      'crash-installing',
      'crash-installing',
      'left-behind',
      'left-behind',
      'partition',
      'slow-disk',
    ],
    faultEveryMs: 800,
    members: 3,
    clients: 3,
    pauseMs: one(random, [20, 60]),
    tickMs: one(random, [10, 50]),
    keys: one(random, [3, 40]),
    tuning: { ...shortLog, flushIntervalMs: one(random, [10, 200]) },
  }),
  /** Reads through a slow network, which overlap and whose answers come late. */
  reads: (random) => ({
    faults: ['broken-links', 'crash-at', 'partition', 'pause', 'slow-link', 'weather'],
    faultEveryMs: 700,
    members: 3,
    clients: one(random, [6, 10]),
    pauseMs: 10,
    tickMs: one(random, [10, 50]),
    keys: 1,
    watchers: 1,
    path: { dropRate: one(random, [0, 0.1]), delayMinUs: 2_000, delayMeanUs: 20_000 },
    calls: { put: 30, get: 60, getOld: 10 },
    timeoutMs: one(random, [100, 2_000]),
  }),
  /** Reads that a lease answers while leaders come and go. */
  leaseReads: (random) => ({
    faults: ['broken-links', 'crash-at', 'cut-link', 'cut-link', 'partition', 'pause', 'slow-disk'],
    faultEveryMs: 500,
    members: 3,
    clients: 6,
    pauseMs: one(random, [10, 40]),
    tickMs: one(random, [10, 50, 100]),
    keys: 1,
    watchers: 1,
    calls: { put: 15, get: 80, leaseReads: 5 },
    tuning: one(random, [{ flushIntervalMs: 300 }, undefined]),
    // Who is cut off is to go on reading.
    timeoutMs: one(random, [20, 100]),
  }),
  /** Leases that run out, are renewed, given back and granted anew while everything is slow. */
  leases: (random) => ({
    faults: ['crash', 'left-behind', 'partition', 'partition', 'pause', 'slow-disk', 'slow-disk'],
    faultEveryMs: 900,
    members: 3,
    clients: 4,
    pauseMs: one(random, [20, 100]),
    tickMs: one(random, [10, 50, 100]),
    keys: 3,
    leaseSeconds: one(random, [1, 2, 6]),
    calls: one(random, [
      { put: 8, putWithLease: 20, get: 8, grant: 20, revoke: 10, renew: 40 },
      { put: 8, putWithLease: 10, get: 8, grant: 30, regrant: 60, renew: 4 },
    ]),
    timeoutMs: one(random, [50, 300]),
    path: one(random, [undefined, { delayMinUs: 1_000, delayMeanUs: 20_000 }]),
    tuning: { ...shortLog, leaseCheckpointMs: one(random, [200, 1_000]) },
  }),
  /** Watchers with tiny queues, most of them behind. */
  watches: (random) => ({
    faults: ['crash', 'left-behind', 'left-behind', 'partition', 'pause', 'slow-disk'],
    faultEveryMs: 1_200,
    members: 3,
    clients: 3,
    pauseMs: one(random, [20, 60]),
    keys: 3,
    watchers: 8,
    calls: {
      put: 40,
      delete: 10,
      deleteRange: 10,
      txn: 30,
      compact: one(random, [0, 3]),
      grant: 3,
      putWithLease: 6,
    },
    tuning: { ...shortLog, watcherEventsMax: one(random, [4, 8, 1_024]) },
  }),
  /** Compactions all the time, and members that go in the middle of them. */
  compaction: (random) => ({
    faults: ['crash', 'crash-at', 'left-behind', 'power-cut'],
    faultEveryMs: 800,
    members: one(random, [1, 3]),
    clients: one(random, [1, 3]),
    pauseMs: one(random, [60, 300]),
    keys: 3,
    // Where clients compact that much, nothing is left for stores to do by themselves.
    calls: { put: 20, delete: 10, txn: 10, getOld: 15, range: 15, compact: one(random, [0, 30]) },
    tuning: one(random, [{ ...shortLog, history: { ms: 2_000 } }, { history: { ms: 4_000 } }]),
  }),
  /** Writes through members other than the leader, which arrive when it leads no more, or again. */
  forwards: (random) => ({
    faults: ['partition', 'pause', 'slow-link', 'slow-link', 'slow-link'],
    faultEveryMs: 400,
    members: 3,
    clients: 6,
    pauseMs: one(random, [20, 60]),
    tickMs: 10,
    keys: 3,
    watchers: 1,
    calls: { put: 80, get: 20 },
  }),
} as const satisfies Readonly<Record<string, Draw>>;

/** @since 0.1.0 */
export type Focus = keyof typeof foci;

/** All of them. @since 0.1.0 */
export const focusNames: readonly Focus[] = Object.keys(foci) as Focus[];

/**
 * Draws what a focus decides.
 *
 * @since 0.1.0
 */
export function drawFocus(focus: Focus, random: Random): FocusedScenario {
  return foci[focus](random);
}

function one<T>(random: Random, choices: readonly T[]): T {
  return choices[randomInt(random, choices.length)] as T;
}
