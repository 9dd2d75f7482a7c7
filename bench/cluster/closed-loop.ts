/**
 * Load from callers that each wait for their answer before they call again: the same for every
 * system that is measured.
 */

/** What to do to whom, and for how long. */
export interface LoadShape {
  readonly operation: 'put' | 'get';
  readonly callers: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A system under load. Keys and values are the same for all. */
export interface Target {
  put(key: string, value: Buffer): Promise<unknown>;
  get(key: string): Promise<unknown>;
}

const keyCount = 10_000;
const valueBytes = 256;

/** Calls that started within the measured time count; those of the warm-up do not. */
export async function runLoad(target: Target, shape: LoadShape): Promise<LoadResult> {
  const value = Buffer.alloc(valueBytes, 'v');
  const latenciesMs: number[] = [];
  const fromMs = performance.now() + shape.warmUpMs;
  const endMs = fromMs + shape.measureMs;
  const caller = async (seed: number): Promise<void> => {
    let random = seed;
    for (;;) {
      const startMs = performance.now();
      if (startMs >= endMs) return;
      // Numerical Recipes' generator: cheap, and equal for every system.
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
      const key = keyName((random >>> 8) % keyCount);
      await (shape.operation === 'put' ? target.put(key, value) : target.get(key));
      if (startMs >= fromMs) latenciesMs.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: shape.callers }, (_, at) => caller(at + 1)));
  const sorted = Float64Array.from(latenciesMs).sort();
  const percentile = (fraction: number) => sorted[Math.floor((sorted.length - 1) * fraction)] ?? 0;
  const perSecond = sorted.length / (shape.measureMs / 1_000);
  return { perSecond, p50Ms: percentile(0.5), p99Ms: percentile(0.99) };
}

function keyName(number: number): string {
  return `key-${number.toString().padStart(8, '0')}`;
}
