/**
 * Ways to be hard on a group, by name: what `kontiki sim --profile` and the soak choose from. A profile
 * makes a run out of a seed; equal seeds give equal runs.
 */
import type { StoreTuning } from '../../assembly/store-config.js';
import type { SimulateCoresOptions } from '../bare/simulate-cores.js';
import type { Fault, FaultKind } from '../faults/fault.js';
import { drawScenario, type SwarmOptions } from '../run/draw-scenario.js';
import type { Scenario } from '../run/scenario.js';

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
const networkFaults: readonly FaultKind[] = [
  'broken-links',
  'cut-link',
  'partition',
  'pause',
  'weather',
];

function stores(name: string, about: string, options: SwarmOptions): SimProfile {
  return { name, about, draw: (seed) => ({ scenario: drawScenario(seed, options) }) };
}

function cores(
  name: string,
  about: string,
  options: Omit<SimulateCoresOptions, 'seed'>,
): SimProfile {
  return { name, about, draw: (seed) => ({ cores: { ...options, seed } }) };
}

/** Whoever is away for long needs a snapshot. */
const shortLogs: StoreTuning = {
  segmentBytes: 4_096,
  retention: { entriesMin: 4, bytesMin: 0, bytesMax: 4_000 },
};

/** Few calls, so that seeds are cheap: most marks are reached within a few. */
function drawChurn(seed: number): Scenario {
  const drawn = drawScenario(seed, { faultEveryMs: 400 });
  const { clients, pauseMs } = drawn;
  return {
    ...drawn,
    clients: Math.min(clients, 3),
    pauseMs: Math.max(pauseMs, 60),
    tuning: shortLogs,
  };
}

/** Members stay away until others have let go of the log that they need. */
function drawAway(seed: number): Scenario {
  const faults: readonly FaultKind[] = ['crash', 'partition', 'pause'];
  const drawn = drawScenario(seed, { durationMs: 60_000, faultEveryMs: 6_000, faults, members: 3 });
  const longer = (fault: Fault): Fault =>
    fault.kind === 'crash' ? { ...fault, downMs: 4_000 + 6 * fault.downMs } : fault;
  return {
    ...drawn,
    clients: 3,
    pauseMs: 100,
    faults: drawn.faults.map(({ atMs, fault }) => ({ atMs, fault: longer(fault) })),
    tuning: shortLogs,
  };
}

/** Hours of virtual time for little real time: rare calls, rare faults, all timers run their length. */
function drawLong(seed: number): Scenario {
  const drawn = drawScenario(seed, { durationMs: 600_000, faultEveryMs: 15_000 });
  return { ...drawn, clients: Math.min(drawn.clients, 3), pauseMs: 40 * drawn.pauseMs };
}

const all: readonly SimProfile[] = [
  stores('standard', 'whole stores: 1, 3 or 5 members, half of all faults, 20 s each', {}),
  stores('calm', 'whole stores, no faults: what breaks here is broken anyway', { faults: [] }),
  {
    name: 'churn',
    about: 'whole stores: a fault every 0.4 s, few calls',
    draw: (seed) => ({ scenario: drawChurn(seed) }),
  },
  stores('power', 'whole stores: processes and machines die, syncs fail', { faults: powerFaults }),
  stores('disk', 'whole stores: full, slow, failing and damaged disks', { faults: diskFaults }),
  stores('network', 'whole stores: partitions, loss, delays, pauses', { faults: networkFaults }),
  stores('single', 'whole stores: one member alone', { members: 1 }),
  stores('five', 'whole stores: five members', { members: 5 }),
  {
    name: 'away',
    about: 'whole stores: members are down until they need a snapshot, 60 s each',
    draw: (seed) => ({ scenario: drawAway(seed) }),
  },
  {
    name: 'long',
    about: 'whole stores: ten minutes each, rare calls and faults',
    draw: (seed) => ({ scenario: drawLong(seed) }),
  },
  cores('cores', 'bare cores: half of all faults, options drawn, 60 s each', {}),
  cores('cores-all', 'bare cores: all faults at once, options of the library', { faults: 'all' }),
  cores('cores-five', 'bare cores: five members and two spares', { members: 5 }),
  cores('cores-quiet', 'bare cores: ten minutes each, one proposal a second', {
    durationMs: 600_000,
    load: { proposalsPerSecond: 1, readsPerSecond: 1 },
  }),
];

/** All of them by name, in the order in which they are told of. @since 0.1.0 */
export const simProfiles: ReadonlyMap<string, SimProfile> = new Map(
  all.map((profile) => [profile.name, profile]),
);
