/**
 * Load from callers that each wait for their answer before they call again: the same for every
 * system that is measured.
 */
import { setImmediate as soon } from 'node:timers/promises';

/** What to do to whom, and for how long. */
export interface LoadShape {
  /** A `serializable get` asks one member what it has; the other asks what the group has. */
  readonly operation: 'put' | 'get' | 'serializable get';
  readonly callers: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers in each {@link tallyMs} of the measured time, where the system was asked from here. */
  readonly tally?: readonly number[] | undefined;
}

/** A system under load. Keys and values are the same for all. */
export interface Target {
  put(key: string, value: Buffer): Promise<unknown>;
  get(key: string, options?: { readonly serializable: true }): Promise<unknown>;
}

/** Milliseconds. */
export const tallyMs = 100;

const keyCount = 10_000;
const callsPerTurn = 16;
const valueBytes = 256;
const serializable = { serializable: true } as const;

/** Calls that started within the measured time count; those of the warm-up do not. */
export async function runLoad(target: Target, shape: LoadShape): Promise<LoadResult> {
  const { operation, measureMs } = shape;
  const call = calls[operation];
  const latenciesMs: number[] = [];
  const fromMs = performance.now() + shape.warmUpMs;
  const endMs = fromMs + measureMs;
  const tally = new Array<number>(Math.ceil(measureMs / tallyMs)).fill(0);
  const caller = async (seed: number): Promise<void> => {
    let random = seed;
    let startMs = performance.now();
    for (let nth = 1; startMs < endMs; nth += 1) {
      // Answers that need nothing from outside would keep everything else from running.
      if (operation === 'serializable get' && nth % callsPerTurn === 0) await soon();
      // Numerical Recipes' generator: cheap, and equal for every system.
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      await call(target, keyName((random >>> 8) % keyCount));
      const nowMs = performance.now();
      if (startMs >= fromMs) {
        latenciesMs.push(nowMs - startMs);
        const slot = Math.floor((nowMs - fromMs) / tallyMs);
        if (slot < tally.length) tally[slot] = (tally[slot] ?? 0) + 1;
      }
      startMs = nowMs;
    }
  };
  await Promise.all(Array.from({ length: shape.callers }, (_, at) => caller(at + 1)));
  const sorted = Float64Array.from(latenciesMs).sort();
  const percentile = (fraction: number) => sorted[Math.floor((sorted.length - 1) * fraction)] ?? 0;
  const perSecond = sorted.length / (measureMs / 1_000);
  return { perSecond, p50Ms: percentile(0.5), p99Ms: percentile(0.99), tally };
}

const value = Buffer.alloc(valueBytes, 'v');
const calls: Record<LoadShape['operation'], (target: Target, key: string) => Promise<unknown>> = {
  put: (target, key) => target.put(key, value),
  get: (target, key) => target.get(key),
  'serializable get': (target, key) => target.get(key, serializable),
};

function keyName(number: number): string {
  return `key-${number.toString().padStart(8, '0')}`;
}
