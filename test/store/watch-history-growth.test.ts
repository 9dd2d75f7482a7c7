// What the line of reads of history keeps while it is never empty.
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { History, HistoryRange } from '../../src/mvcc/index.js';
import { WatchHistory } from '../../src/store/watch-history.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const historyBytes = 64 * 1024;

test('a crowd that reads history for long, never a moment without one that waits: what was answered is let go of', async () => {
  const read = async (range: HistoryRange): Promise<History> => {
    await pause(0);
    const value = new Array<number>(historyBytes / 8).fill(range.fromRevision + 0.5);
    const answer = { revisions: [], nextRevision: 1e9 + 1, nextSub: 0, bytes: 0, sliceBytes: 0 };
    return { ...answer, value } as History;
  };
  const state = { revision: 1e9, compactRevision: 0, epoch: 0 };
  const history = new WatchHistory({ state, read, readsMax: 4 });
  let isOver = false;
  let reads = 0;
  // Each behind by as much as it likes, at a place of its own; the next slice as soon as it has the one before.
  const follow = async (nth: number): Promise<void> => {
    for (let at = 1; !isOver; at += 1) {
      await history.query({
        fromRevision: nth * 1_000_000 + at,
        fromSub: 0,
        upTo: 1e9,
        limit: 512,
      });
      reads += 1;
    }
  };
  const crowd = Array.from({ length: 12 }, (_, nth) => follow(nth));
  const heapAt = async (count: number): Promise<number> => {
    while (reads < count) await pause(5);
    gc();
    return process.memoryUsage().heapUsed;
  };
  const before = await heapAt(200);
  const after = await heapAt(2_200);
  isOver = true;
  await Promise.all(crowd);
  // 2,000 answers were read meanwhile, 128 MiB of them.
  expect(after - before).toBeLessThan(100 * historyBytes);
}, 60_000);
