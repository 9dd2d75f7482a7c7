import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { limits } from '../../src/base/limits.js';
import { Prng } from '../../src/base/prng.js';
import { Reads } from '../../src/node/reads.js';

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  const open = Symbol('open');
  return (await Promise.race([promise, Promise.resolve(open)])) !== open;
}

describe('reads', () => {
  test('an answer to what an earlier life asked -> serves nobody', async () => {
    const idBefore = (() => {
      const before = new Reads(new Prng(1));
      void before.open(0);
      return before.take(0);
    })();
    const reads = new Reads(new Prng(2));
    const read = reads.open(0);
    const id = reads.take(0);
    // The leader noted this index before the member died, and names it only now.
    reads.confirmed({ readId: idBefore, index: 3 }, 5);
    expect(await isSettled(read)).toBe(false);
    reads.confirmed({ readId: id, index: 5 }, 5);
    expect(await isSettled(read)).toBe(true);
  });

  test('for a quorum alone -> asked for apart from the others, with its limits and ends', async () => {
    const reads = new Reads(new Prng(1));
    const [plain, first] = [reads.open(0), reads.open(0, { byQuorum: true })];
    const id = reads.takeByQuorum(0);
    expect([reads.hasQueued, reads.hasQueuedByQuorum, reads.pending]).toEqual([true, false, 2]);
    reads.confirmed({ readId: id, index: 1 }, 1);
    await first;
    expect(await isSettled(plain)).toBe(false);
    const [swept, closed] = [reads.open(1, { byQuorum: true }), reads.open(2, { byQuorum: true })];
    closed.catch(() => undefined);
    reads.sweep(1);
    await expect(swept).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(plain).rejects.toMatchObject({ code: 'TIMEOUT' });
    reads.close(kontikiError('CLOSED', 'closed'));
    await expect(closed).rejects.toMatchObject({ code: 'CLOSED' });
    expect([reads.pending, reads.hasQueuedByQuorum]).toEqual([0, false]);
  });

  test('a probe while as many wait as may -> asked for, and takes no place', () => {
    const reads = new Reads(new Prng(1));
    for (let nth = 0; nth < limits.waitersMax; nth += 1) void reads.open(0);
    expect(() => reads.open(0)).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    expect(reads.hasQueuedByQuorum).toBe(false);
    reads.probe();
    expect(reads.hasQueuedByQuorum).toBe(true);
    reads.confirmed({ readId: reads.takeByQuorum(0), index: 1 }, 1);
    expect([reads.hasQueuedByQuorum, reads.pending]).toEqual([false, limits.waitersMax]);
  });

  test('names -> safe integers that count up', () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const reads = new Reads(new Prng(seed));
      const ids = [reads.take(0), reads.take(0)] as const;
      expect(ids[1]).toBe(ids[0] + 1);
      expect(ids[1] + 2 ** 40).toBeLessThan(Number.MAX_SAFE_INTEGER);
    }
  });

  test('queued for too long -> TIMEOUT, and only then; nothing of it is left', async () => {
    const reads = new Reads(new Prng(1));
    const [first, second] = [reads.open(100), reads.open(200)];
    second.catch(() => undefined);
    reads.sweep(99);
    expect(await isSettled(first)).toBe(false);
    reads.sweep(100);
    await expect(first).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(await isSettled(second)).toBe(false);
    expect([reads.pending, reads.hasQueued]).toEqual([1, true]);
    const id = reads.take(300);
    reads.sweep(299);
    reads.confirmed({ readId: id, index: 1 }, 1);
    await second;
    expect([reads.pending, reads.hasQueued]).toEqual([0, false]);
  });
});
