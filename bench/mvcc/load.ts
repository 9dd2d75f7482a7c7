/** Keys, values and loops of the keyspace's benchmarks. */
import type { Command } from '../../src/mvcc/index.js';
import type { KeyspaceRig } from './rig.js';

/** Commands that the apply loop hands over together under load. */
export const batchSize = 100;

export const valueBytes = 256;

/** Key number `nth`, 18 bytes, in order. */
export function keyOf(nth: number): string {
  return `key/${String(nth).padStart(14, '0')}`;
}

/** Values that do not shrink when a block of them is compressed, made ahead of all measuring. */
const values = Array.from({ length: 1_000 }, (_, nth) => noise(nth, valueBytes));

/** The value of key number `nth`. */
export function valueFor(nth: number): Uint8Array {
  return values[nth % values.length] as Uint8Array;
}

/** Bytes without a pattern. */
export function noise(seed: number, bytes: number): Uint8Array {
  let word = seed + 1;
  return Uint8Array.from({ length: bytes }, () => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) | 0;
    return word >>> 24;
  });
}

/** A place in `0 .. count - 1` for each `nth`; every place once while `nth < count`. */
export function shuffled(nth: number, count: number): number {
  // A prime that divides no count used here.
  return (nth * 7_368_787) % count;
}

/** Puts of keys `from` to `to` (exclusive), in batches, each in a turn of its own like those of a node. */
export async function putAll(
  rig: KeyspaceRig,
  from: number,
  to: number,
  placeOf: (nth: number) => number = (nth) => nth,
): Promise<void> {
  for (let first = from; first < to; first += batchSize) {
    const commands: Command[] = [];
    for (let nth = first; nth < Math.min(first + batchSize, to); nth += 1) {
      const place = placeOf(nth);
      commands.push({ op: 'put', key: keyOf(place), value: valueFor(place) });
    }
    await rig.apply(commands);
    await new Promise(setImmediate);
  }
}

/** What something cost, over many times. */
export interface Cost {
  readonly perSecond: number;
  /** Microseconds of processor time of all threads, each time: tells more on a busy machine. */
  readonly cpuUs: number;
}

/**
 * Measures work.
 *
 * @param work - resolves to how many times it was done
 */
export async function costOf(work: () => Promise<number>): Promise<Cost> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const times = await work();
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: times / seconds, cpuUs: (user + system) / times };
}

/**
 * Cost of a call, made by `callers` loops, one call after the other in each.
 *
 * @param most - calls to make at most
 */
export function costOfCalls(options: {
  readonly callers: number;
  readonly seconds: number;
  readonly most?: number;
  readonly call: (nth: number) => Promise<unknown>;
}): Promise<Cost> {
  const { callers, seconds, call, most = Number.POSITIVE_INFINITY } = options;
  return costOf(async () => {
    const end = performance.now() + seconds * 1_000;
    let calls = 0;
    const loop = async (): Promise<void> => {
      while (calls < most) {
        // Looking at the clock each time would be a good part of a fast call.
        if (calls % 64 === 0 && performance.now() >= end) return;
        const nth = calls;
        calls += 1;
        await call(nth);
      }
    };
    await Promise.all(Array.from({ length: callers }, loop));
    return calls;
  });
}
