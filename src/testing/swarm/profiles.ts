/**
 * Ways to be hard on a group, by name: what `kontiki sim --profile` and the soak choose from. A profile
 * makes a run out of a seed; equal seeds give equal runs.
 */

import type { StoreTuning } from '../../assembly/store-config.js';
import { randomInt } from '../../base/prng.js';
import { leaseMsMax } from '../bare/bare-clock.js';
import { type BareFaults, noFaults } from '../bare/bare-faults.js';
import type { SimulateCoresOptions } from '../bare/simulate-cores.js';
import type { Fault, FaultKind } from '../faults/fault.js';
import { drawChanges } from '../run/draw-changes.js';
import { drawScenario, type SwarmOptions } from '../run/draw-scenario.js';
import { focusNames } from '../run/focus.js';
import type { Scenario } from '../run/scenario.js';
import { SimRandom } from '../sim-random.js';

/** What a seed does: a scenario of whole stores, or options of bare cores. @since 0.1.0 */
export type DrawnRun =
  | { readonly scenario: Scenario; readonly cores?: undefined }
  | { readonly scenario?: undefined; readonly cores: SimulateCoresOptions };

/** @since 0.1.0 */
export interface SimProfile {
  readonly name: string;
  /** What it is good for, in a line. */
  readonly about: string;
  readonly draw: (seed: number) => DrawnRun;
}

/** Processes and machines that die, and syncs that fail. */
const powerFaults: readonly FaultKind[] = ['crash', 'crash-at', 'power-cut', 'failed-sync'];
const diskFaults: readonly FaultKind[] = [
  'crash-at',
  'disk-full',
  'failed-sync',
  'flipped-bit',
  'lost-batch',
  'slow-disk',
];
/** Disks that go back to what they once held, between what moves votes and entries. */
const copyFaults: readonly FaultKind[] = [
  'crash',
  'crash-at',
  'partition',
  'rolled-back',
  'rolled-back',
];
const networkFaults: readonly FaultKind[] = [
  'broken-links',
  'cut-link',
  'partition',
  'pause',
  'weather',
];

function stores(name: string, about: string, options: SwarmOptions): SimProfile {
  const all: SwarmOptions = { focus: 'none', ...options };
  return { name, about, draw: (seed) => ({ scenario: drawScenario(seed, all) }) };
}

function cores(
  name: string,
  about: string,
  options: Omit<SimulateCoresOptions, 'seed'>,
): SimProfile {
  return { name, about, draw: (seed) => ({ cores: { ...options, seed } }) };
}

/** What may make two members answer for the group at the same time. */
const leaseFaults: BareFaults = {
  ...noFaults,
  delayMeanUs: 2_000,
  partition: { everyMs: 1_500, forMs: 800 },
  crash: { everyMs: 3_000, forMs: 200 },
  pause: { everyMs: 4_000, forMs: 600 },
  writeUs: [200, 20_000],
  slowDisk: { everyMs: 3_000, forMs: 500 },
  transfer: { everyMs: 2_000 },
  rumour: { everyMs: 1_000 },
  driftPpm: 20_000,
};

/** Answers take as long as elections do. */
const lateFaults: BareFaults = {
  ...noFaults,
  delayMeanUs: 20_000,
  reorder: true,
  partition: { everyMs: 500, forMs: 500 },
  pause: { everyMs: 2_000, forMs: 200 },
  transfer: { everyMs: 300 },
};

/** Whoever is away for long needs a snapshot. */
const shortLogs: StoreTuning = {
  segmentBytes: 4_096,
  retention: { entriesMin: 4, bytesMin: 0, bytesMax: 4_000 },
};

/** With what was drawn of how the state is flushed, and read until then. */
function shortLogsOf({ tuning }: Scenario): StoreTuning {
  const { aheadBytesMin, flushIntervalMs, sortKeysMax } = tuning ?? {};
  return {
    ...shortLogs,
    ...(flushIntervalMs === undefined ? {} : { flushIntervalMs }),
    ...(sortKeysMax === undefined ? {} : { sortKeysMax }),
    ...(aheadBytesMin === undefined ? {} : { aheadBytesMin }),
  };
}

/** Few calls, so that seeds are cheap: most marks are reached within a few. */
function drawChurn(seed: number): Scenario {
  const drawn = drawScenario(seed, { faultEveryMs: 400, focus: 'none' });
  const { clients, pauseMs } = drawn;
  return {
    ...drawn,
    clients: Math.min(clients, 3),
    pauseMs: Math.max(pauseMs, 60),
    tuning: shortLogsOf(drawn),
  };
}

/** Members stay away until others have let go of the log that they need. */
function drawAway(seed: number): Scenario {
  const faults: readonly FaultKind[] = ['crash', 'partition', 'pause'];
  const size = { durationMs: 60_000, faultEveryMs: 6_000, members: 3 };
  const drawn = drawScenario(seed, { ...size, faults, focus: 'none' });
  const longer = (fault: Fault): Fault =>
    fault.kind === 'crash' ? { ...fault, downMs: 4_000 + 6 * fault.downMs } : fault;
  return {
    ...drawn,
    clients: 3,
    pauseMs: 100,
    faults: drawn.faults.map(({ atMs, fault }) => ({ atMs, fault: longer(fault) })),
    tuning: shortLogsOf(drawn),
  };
}

/**
 * Snapshots take seconds, and connections break while they are on their way: each goes on where the one
 * before it stopped.
 */
function drawTransfers(seed: number): Scenario {
  const faults: readonly FaultKind[] = ['broken-links', 'left-behind', 'pause'];
  const drawn = drawScenario(seed, { durationMs: 40_000, faultEveryMs: 1_500, faults, members: 3 });
  return {
    ...drawn,
    clients: 3,
    pauseMs: 100,
    tuning: {
      ...shortLogsOf(drawn),
      snapshotChunkBytes: 1_024,
      snapshotBytesPerSecond: 32_768,
    },
  };
}

/** In one of eight seeds members come and go as well. */
function drawStandard(seed: number): Scenario {
  const random = new SimRandom({ seed, stream: 'scenario.standard', entity: [] });
  return randomInt(random, 8) === 0 ? drawMembers(seed) : drawScenario(seed);
}

/** Members come and go under load and faults, more often than not in the middle of something. */
function drawMembers(seed: number): Scenario {
  const random = new SimRandom({ seed, stream: 'scenario.members', entity: [] });
  const members = [1, 3, 3, 3, 5][randomInt(random, 5)] as number;
  const faultEveryMs = [800, 2_000, 5_000][randomInt(random, 3)] as number;
  const drawn = drawScenario(seed, { faultEveryMs, focus: 'none', members });
  const everyMs = [600, 1_200, 2_500][randomInt(random, 3)] as number;
  const names = Array.from({ length: members }, (_, at) => `n${at + 1}`);
  const { clients, durationMs, pauseMs } = drawn;
  return {
    ...drawn,
    clients: Math.min(clients, 3),
    pauseMs: Math.max(pauseMs, 40),
    backupEveryMs: randomInt(random, 2) === 0 ? 3_000 : undefined,
    changes: drawChanges(random, { members: names, durationMs, everyMs }),
  };
}

/** Hours of virtual time for little real time: rare calls, rare faults, all timers run their length. */
function drawLong(seed: number): Scenario {
  const drawn = drawScenario(seed, { durationMs: 600_000, faultEveryMs: 15_000, focus: 'none' });
  return { ...drawn, clients: Math.min(drawn.clients, 3), pauseMs: 40 * drawn.pauseMs };
}

const narrow = focusNames.map((focus) => {
  return stores(`focus-${focus}`, `whole stores: narrow runs, hard on ${focus}`, { focus });
});

const all: readonly SimProfile[] = [
  {
    name: 'standard',
    about: 'whole stores: half of the seeds narrow, half of all faults in the others',
    draw: (seed) => ({ scenario: drawStandard(seed) }),
  },
  stores('focused', 'whole stores: narrow runs, each hard on one part', { focus: 'any' }),
  ...narrow,
  stores('calm', 'whole stores, no faults: what breaks here is broken anyway', { faults: [] }),
  {
    name: 'churn',
    about: 'whole stores: a fault every 0.4 s, few calls',
    draw: (seed) => ({ scenario: drawChurn(seed) }),
  },
  stores('power', 'whole stores: processes and machines die, syncs fail', { faults: powerFaults }),
  stores('disk', 'whole stores: full, slow, failing and damaged disks', { faults: diskFaults }),
  stores('copies', 'whole stores: members come back as old copies', { faults: copyFaults }),
  stores('network', 'whole stores: partitions, loss, delays, pauses', { faults: networkFaults }),
  stores('single', 'whole stores: one member alone', { members: 1 }),
  stores('five', 'whole stores: five members', { members: 5 }),
  {
    name: 'away',
    about: 'whole stores: members are down until they need a snapshot, 60 s each',
    draw: (seed) => ({ scenario: drawAway(seed) }),
  },
  {
    name: 'transfers',
    about: 'whole stores: slow snapshots, on connections that break, 40 s each',
    draw: (seed) => ({ scenario: drawTransfers(seed) }),
  },
  {
    name: 'members',
    about: 'whole stores: members come, go, move and lose their disks, between faults',
    draw: (seed) => ({ scenario: drawMembers(seed) }),
  },
  {
    name: 'long',
    about: 'whole stores: ten minutes each, rare calls and faults',
    draw: (seed) => ({ scenario: drawLong(seed) }),
  },
  {
    name: 'locks',
    about: 'whole stores: locks and elections in place of other calls',
    draw: (seed) => ({ scenario: { ...drawScenario(seed), load: 'locks' } }),
  },
  cores('cores', 'bare cores: half of all faults, options drawn, 60 s each', {}),
  cores('cores-all', 'bare cores: all faults at once, options of the library', { faults: 'all' }),
  cores('cores-five', 'bare cores: five members and two spares', { members: 5 }),
  cores('cores-leases', 'bare cores: reads by lease, leaders forgotten, cut off and handed over', {
    faults: leaseFaults,
    load: { readsPerSecond: 100 },
    core: { electionTicks: 6, leaseMs: leaseMsMax(6, 50, leaseFaults.driftPpm), checkQuorum: true },
  }),
  cores('cores-late', 'bare cores: answers that come when another leads', {
    faults: lateFaults,
    load: { readsPerSecond: 200 },
    core: { electionTicks: 10, checkQuorum: false },
    tickMs: 20,
  }),
  cores('cores-quiet', 'bare cores: ten minutes each, one proposal a second', {
    durationMs: 600_000,
    load: { proposalsPerSecond: 1, readsPerSecond: 1 },
  }),
];

/** All of them by name, in the order in which they are told of. @since 0.1.0 */
export const simProfiles: ReadonlyMap<string, SimProfile> = new Map(
  all.map((profile) => [profile.name, profile]),
);
