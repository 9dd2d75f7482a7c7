// Watches of members that run and yet stop telling: readers notice each way of it.
import { afterEach, expect, test, vi } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import { WatchStream } from '../../../src/store/watch-stream.js';
import { drawScenario } from '../../../src/testing/run/draw-scenario.js';
import { simulateStore } from '../../../src/testing/run/simulate.js';

type Next = ReturnType<WatchStream['next']>;

const timeout = 120_000;
const { next } = WatchStream.prototype;
const scenario = drawScenario(2, {
  ...{ durationMs: 4_000, faults: [], members: 3, focus: 'watches' },
});

/** What a run comes to if, from its fourth batch on, this comes of every watch. */
async function violationIf(broken: (stream: WatchStream) => Next) {
  const batches = new WeakMap<WatchStream, number>();
  vi.spyOn(WatchStream.prototype, 'next').mockImplementation(function (this: WatchStream) {
    const at = (batches.get(this) ?? 0) + 1;
    batches.set(this, at);
    return at < 4 ? next.call(this) : broken(this);
  });
  return (await simulateStore(scenario)).violation;
}

afterEach(() => void vi.restoreAllMocks());

test('batches as they come -> none', { timeout }, async () => {
  expect(await violationIf((stream) => next.call(stream))).toBeUndefined();
});

test('neither a batch nor a bookmark, for ever -> V2', { timeout }, async () => {
  const violation = await violationIf(() => new Promise(() => undefined));
  expect(violation?.id).toBe('V2');
});

test('an end without a word -> W10', { timeout }, async () => {
  const violation = await violationIf((stream) => stream.return());
  expect(violation?.id).toBe('W10');
  expect(violation?.message).toContain('without a word');
});

test('an end with an error that is not COMPACTED -> W10, which names it', { timeout }, async () => {
  const violation = await violationIf(() => Promise.reject(new TypeError('no such field')));
  expect(violation?.id).toBe('W10');
  expect(violation?.message).toContain('no such field');
});

test('COMPACTED of a revision at which nobody compacted -> W10', { timeout }, async () => {
  const error = kontikiError('COMPACTED', 'planted', { compactRevision: 1_000_000 });
  const violation = await violationIf(() => Promise.reject(error));
  expect(violation?.id).toBe('W10');
  expect(violation?.message).toContain('which it never was');
});
