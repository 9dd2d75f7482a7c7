// Reads that wait for revisions, against their slow twin, and how many of them a segment looks at.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { RevisionWaits } from '../../src/store/revision-waits.js';
import { VirtualTime } from '../node/virtual-time.js';

const timeoutMs = 1_000;
const closed = kontikiError('CLOSED', 'a test');

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ wait: fc.nat(30) }) },
    { weight: 3, arbitrary: fc.record({ reached: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.record({ abort: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.record({ ms: fc.nat(500) }) },
  ),
  { maxLength: 100, size: 'max' },
);

/** Waits, and what became of each by its number. */
class World {
  readonly time = new VirtualTime();
  readonly waits = new RevisionWaits(this.time);
  readonly aborts: AbortController[] = [];
  readonly ends: (string | undefined)[] = [];

  wait(revision: number): void {
    const nth = this.ends.push(undefined) - 1;
    const abort = new AbortController();
    this.aborts.push(abort);
    this.waits.wait(revision, { timeoutMs, signal: abort.signal }).then(
      () => this.#end(nth, 'reached'),
      (error: { code?: string }) => this.#end(nth, error.code ?? String(error)),
    );
  }

  #end(nth: number, how: string): void {
    expect(this.ends[nth]).toBeUndefined();
    this.ends[nth] = how;
  }
}

/** All of them in a list that is walked. */
class Twin {
  readonly ends: (string | undefined)[] = [];
  readonly #waits: { readonly revision: number; readonly endMs: number }[] = [];
  nowMs = 0;

  wait(revision: number): void {
    this.#waits.push({ revision, endMs: this.nowMs + timeoutMs });
    this.ends.push(undefined);
  }

  end(how: string, is: (wait: { revision: number; endMs: number }, nth: number) => boolean): void {
    this.#waits.forEach((wait, nth) => {
      if (is(wait, nth)) this.ends[nth] ??= how;
    });
  }
}

/** A number that counts how often it is compared. */
function counted(revision: number, count: () => void): number {
  const toPrimitive = (hint: string) => {
    if (hint === 'number') count();
    return revision;
  };
  return { [Symbol.toPrimitive]: toPrimitive } as unknown as number;
}

describe('waits for a revision', () => {
  test('any waits, revisions, aborts and times -> each ends as in the twin', async () => {
    const property = fc.asyncProperty(steps, async (all) => {
      const world = new World();
      const twin = new Twin();
      for (const step of all) {
        if ('wait' in step) {
          world.wait(step.wait);
          twin.wait(step.wait);
        } else if ('reached' in step) {
          world.waits.reached(step.reached);
          twin.end('reached', ({ revision }) => revision <= step.reached);
        } else if ('abort' in step) {
          world.aborts[step.abort]?.abort('given up');
          twin.end('given up', (_, nth) => nth === step.abort);
        } else {
          twin.nowMs += step.ms;
          twin.end('TIMEOUT', ({ endMs }) => endMs <= twin.nowMs);
        }
        await world.time.run('ms' in step ? step.ms : 0);
        expect(world.ends).toEqual(twin.ends);
      }
      world.waits.close(closed);
      twin.end('CLOSED', () => true);
      await world.time.run(0);
      expect(world.ends).toEqual(twin.ends);
      expect(world.time.pending).toBe(0);
      expect(() => world.waits.wait(1, { timeoutMs })).toThrow(closed);
    });
    await fc.assert(property);
  });

  test('a thousand that wait for far revisions -> a segment compares with one of them', async () => {
    const time = new VirtualTime();
    const waits = new RevisionWaits(time);
    let comparisons = 0;
    const count = () => {
      comparisons += 1;
    };
    const options = { timeoutMs };
    const all = Array.from({ length: 1_000 }, (_, nth) => {
      return waits.wait(counted(5_000 + nth, count), options);
    });
    comparisons = 0;
    for (let revision = 1; revision <= 100; revision += 1) waits.reached(revision);
    expect(comparisons).toBe(100);
    // Each revision is what one of them waits for: a heap of a thousand is ten deep.
    for (let revision = 5_000; revision < 6_000; revision += 1) waits.reached(revision);
    await Promise.all(all);
    expect(comparisons).toBeLessThan(100_000);
    expect(time.pending).toBe(0);
  });
});

test('a signal that aborts without a reason, as of another make -> ABORTED, not reached', async () => {
  const time = new VirtualTime();
  const target = new EventTarget();
  const signal = Object.assign(target, { aborted: false, reason: undefined, throwIfAborted() {} });
  const waits = new RevisionWaits(time);
  const waiting = waits.wait(5, { timeoutMs, signal: signal as unknown as AbortSignal });
  target.dispatchEvent(new Event('abort'));
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
  expect(time.pending).toBe(0);
});
