/** What goes wrong in a run of bare cores, how often, and how a seed chooses among it. */
import { type Random, randomInt } from '../../base/prng.js';
import { SimRandom } from '../sim-random.js';

/**
 * Every knob. Rates are fractions, 0 to 1. `everyMs` is the mean virtual time between two of a kind,
 * 0: never.
 *
 * @since 0.1.0
 */
export interface BareFaults {
  /** Delay of messages in virtual microseconds: least, and mean of an exponential distribution. */
  readonly delayMinUs: number;
  readonly delayMeanUs: number;
  readonly dropRate: number;
  readonly duplicateRate: number;
  readonly reorder: boolean;
  /** Groups of members cannot hear each other, or only one way, or only some pairs; for about `forMs`. */
  readonly partition: { readonly everyMs: number; readonly forMs: number };
  /** A process dies, unsynced writes are lost or torn, it is back after about `forMs`. */
  readonly crash: { readonly everyMs: number; readonly forMs: number };
  /** A process dies between two effects, after about so many of them; 0: never. */
  readonly crashEffects: number;
  /** A process stands still, and then finds everything at once. */
  readonly pause: { readonly everyMs: number; readonly forMs: number };
  /** Least and longest time of a write, in virtual microseconds. */
  readonly writeUs: readonly [min: number, max: number];
  /** A disk takes a hundred times as long for about `forMs`. */
  readonly slowDisk: { readonly everyMs: number; readonly forMs: number };
  /** Least and longest time of a page in the state machine, in virtual microseconds. */
  readonly applyUs: readonly [min: number, max: number];
  /** Each member flushes its state machine, takes a snapshot and cuts its log. */
  readonly compact: { readonly everyMs: number };
  /** A change of the group is asked for; members beyond the founders join by it. */
  readonly change: { readonly everyMs: number };
  /** The leader is asked to hand over; sometimes to somebody who cannot take over. */
  readonly transfer: { readonly everyMs: number };
  /** A member forgets its leader, or the leader hears that somebody is unreachable. */
  readonly rumour: { readonly everyMs: number };
  /** How much faster or slower than the mean a clock may be, in parts per million. */
  readonly driftPpm: number;
}

/**
 * A good day: a fast network, fast disks, logs that are cut from time to time.
 *
 * @since 0.1.0
 */
export const noFaults: BareFaults = {
  delayMinUs: 100,
  delayMeanUs: 500,
  dropRate: 0,
  duplicateRate: 0,
  reorder: false,
  partition: { everyMs: 0, forMs: 0 },
  crash: { everyMs: 0, forMs: 0 },
  crashEffects: 0,
  pause: { everyMs: 0, forMs: 0 },
  writeUs: [200, 1_000],
  slowDisk: { everyMs: 0, forMs: 0 },
  applyUs: [10, 100],
  compact: { everyMs: 10_000 },
  change: { everyMs: 0 },
  transfer: { everyMs: 0 },
  rumour: { everyMs: 0 },
  driftPpm: 0,
};

/**
 * Everything at once, at rates at which a group still gets on.
 *
 * @since 0.1.0
 */
export const allFaults: BareFaults = {
  delayMinUs: 500,
  delayMeanUs: 5_000,
  dropRate: 0.02,
  duplicateRate: 0.02,
  reorder: true,
  partition: { everyMs: 10_000, forMs: 2_000 },
  crash: { everyMs: 10_000, forMs: 1_000 },
  crashEffects: 20_000,
  pause: { everyMs: 20_000, forMs: 800 },
  writeUs: [200, 5_000],
  slowDisk: { everyMs: 30_000, forMs: 1_000 },
  applyUs: [10, 2_000],
  compact: { everyMs: 5_000 },
  change: { everyMs: 10_000 },
  transfer: { everyMs: 15_000 },
  rumour: { everyMs: 10_000 },
  driftPpm: 20_000,
};

/**
 * The faults of a seed: a random half of the kinds, some of them harder than {@link allFaults}. Runs
 * that mix everything evenly hide what needs long stretches of something else.
 *
 * @param seed - of the run
 * @since 0.1.0
 */
export function swarmFaults(seed: number): BareFaults {
  const random: Random = new SimRandom({ seed, stream: 'swarm.faults', entity: [] });
  const faults: Record<string, unknown> = {};
  for (const [name, all] of Object.entries(allFaults)) {
    const isOn = randomInt(random, 2) === 0;
    const factor = [1, 2, 5][randomInt(random, 3)] as number;
    faults[name] = isOn ? intensified(name, all, factor) : noFaults[name as keyof BareFaults];
  }
  const { delayMinUs, delayMeanUs } = faults as { [K in keyof BareFaults]: BareFaults[K] };
  faults.delayMeanUs = Math.max(delayMinUs, delayMeanUs);
  return faults as unknown as BareFaults;
}

/** The same kind of fault, more of it. */
function intensified(name: string, fault: BareFaults[keyof BareFaults], factor: number): unknown {
  if (typeof fault === 'boolean') return fault;
  if (name === 'crashEffects') return Math.floor((fault as number) / factor);
  if (typeof fault === 'number') return fault * factor;
  if ('everyMs' in fault) return { ...fault, everyMs: Math.floor(fault.everyMs / factor) };
  return [fault[0], fault[1] * factor];
}
