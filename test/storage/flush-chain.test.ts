/** What the flush records prove, on an engine that loses batches as LevelDB's recovery can. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../src/base/errors.js';
import { FlushChain } from '../../src/storage/flush-chain.js';
import { appliedKey, decodeFlush, flushKey, flushKeys } from '../../src/storage/flush-record.js';
import { MemoryEngine } from '../../src/storage/memory/kv-engine.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { ManualTimers } from './manual-timers.js';
import { ScriptedEngine } from './scripted-engine.js';

const MiB = 1024 * 1024;
const timers = new ManualTimers();
const value = (size: number) => new Uint8Array(size).fill(7);
const stateCorrupt = (error: unknown) => isKontikiError(error, 'STATE_CORRUPT');

/** One flush per size; flush n ends at applied index 10 n. */
async function filled(sizes: readonly number[], forget: readonly number[] = []) {
  const engine = new ScriptedEngine();
  for (const write of forget) engine.forget.add(write);
  const backend = await WriteBehindBackend.open({ engine, timers });
  for (const [at, size] of sizes.entries()) {
    backend.apply([[`c${at}`, value(size)]], 10 * (at + 1));
    await backend.flush();
  }
  await backend.close();
  return engine.inner.reopen();
}

const reopen = (engine: MemoryEngine) => WriteBehindBackend.open({ engine, timers });
const records = async (engine: MemoryEngine) => {
  const cursor = engine.iterate(flushKeys);
  return (await cursor.next(10_000)).map(([key, bytes]) => decodeFlush(key, bytes));
};

describe('lost batches', () => {
  test('any batch but the last is gone -> STATE_CORRUPT, and the engine is closed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 8 }), fc.nat(), async (count, seed) => {
        const lost = 1 + (seed % (count - 1));
        const engine = await filled(Array(count).fill(10), [lost]);
        await expect(reopen(engine)).rejects.toSatisfy(stateCorrupt);
        await expect(engine.getMany([])).rejects.toSatisfy((e) => isKontikiError(e, 'CLOSED'));
      }),
      { numRuns: 30 },
    );
  });

  test('several batches, and batches among large ones -> STATE_CORRUPT', async () => {
    await expect(reopen(await filled([1, 2, 3, 4, 5], [2, 3]))).rejects.toSatisfy(stateCorrupt);
    await expect(reopen(await filled([1, 2, 3, 4, 5], [1, 2, 3]))).rejects.toSatisfy(stateCorrupt);
    const large = await filled([3 * MiB, 3 * MiB, 5 * MiB, 1, 3 * MiB], [3]);
    await expect(reopen(large)).rejects.toSatisfy(stateCorrupt);
  });

  test('the last batches are gone -> an earlier state, which the replicated log makes up for', async () => {
    const backend = await reopen(await filled([1, 2, 3, 4], [3, 4]));
    expect(backend.openedIndex).toBe(20);
  });

  test('the message -> says what is missing and what to do', async () => {
    const error = await reopen(await filled([1, 2, 3, 4], [2])).catch((e: unknown) => e);
    expect(String(error)).toMatch(/flush 3 follows flush 1.*replace this member.*backup/s);
  });
});

describe('what is kept', () => {
  test('small flushes -> all records; large ones -> two groups of 16 MiB below the last', async () => {
    expect(await records(await filled([10, 10, 10]))).toHaveLength(3);
    const engine = await filled(Array(40).fill(1 * MiB));
    const kept = await records(engine);
    // A MiB-sized batch has overhead.
    expect(kept.map(({ seq }) => seq)).toEqual(Array.from({ length: 33 }, (_, n) => 8 + n));
    expect(kept.at(-1)?.oldest).toBe(8);
    expect((await reopen(engine)).openedIndex).toBe(400);
  });

  test('the oldest kept record is gone -> STATE_CORRUPT', async () => {
    const engine = await filled(Array(20).fill(2 * MiB));
    const oldest = (await records(engine))[0]!.seq;
    expect(oldest).toBeGreaterThan(1);
    await engine.write([[flushKey(oldest), undefined]], { sync: true });
    await expect(reopen(engine)).rejects.toSatisfy(stateCorrupt);
  });

  test('an old record is there again -> STATE_CORRUPT', async () => {
    const engine = await filled([1, 2, 3]);
    const [first] = await engine.getMany([flushKey(1)]);
    await engine.write([[flushKey(5), first]], { sync: true });
    await expect(reopen(engine)).rejects.toSatisfy(stateCorrupt);
  });

  test('continued after a reopen -> old records go all the same', async () => {
    const chain = await FlushChain.open(await filled(Array(18).fill(2 * MiB)));
    const batches = [1_000, 1_001].map((to) => [...chain.next([['cx', value(9 * MiB)]], to)]);
    const deleted = batches
      .flat()
      .filter(([, bytes]) => bytes === undefined)
      .map(([key]) => key);
    expect(deleted.length).toBeGreaterThan(2);
    expect(deleted.every((key) => key.startsWith('f'))).toBe(true);
  });
});

describe('damage', () => {
  test('any bit of a record or of the applied index -> refused', async () => {
    for (const key of [appliedKey, flushKey(1), flushKey(2), flushKey(3)]) {
      const size = key === appliedKey ? 13 : 65;
      for (let at = 0; at < size; at += 1) {
        const engine = await filled([1, 2, 3]);
        const [bytes] = await engine.getMany([key]);
        expect(bytes).toHaveLength(size);
        const damaged = Uint8Array.from(bytes!);
        damaged[at]! ^= 1 << (at % 8);
        await engine.write([[key, damaged]], { sync: true });
        await expect(reopen(engine)).rejects.toSatisfy(stateCorrupt);
      }
    }
  });

  test('no applied index but records -> STATE_CORRUPT; nothing at all -> a fresh one', async () => {
    const engine = await filled([1, 2]);
    await engine.write([[appliedKey, undefined]], { sync: true });
    await expect(reopen(engine)).rejects.toSatisfy(stateCorrupt);
    const foreign = new MemoryEngine();
    await foreign.write([['ca', value(1)]], { sync: true });
    await expect(reopen(foreign)).rejects.toSatisfy(stateCorrupt);
    expect((await reopen(new MemoryEngine())).openedIndex).toBe(0);
  });

  test('an applied index without flush records -> STATE_CORRUPT', async () => {
    const engine = await filled([1]);
    await engine.write([[flushKey(1), undefined]], { sync: true });
    await expect(reopen(engine)).rejects.toSatisfy(stateCorrupt);
  });

  test('records of two histories with the same indexes -> STATE_CORRUPT', async () => {
    const engine = await filled([1, 2, 3]);
    const other = await filled([1, 5, 3]);
    const [record] = await other.getMany([flushKey(2)]);
    await engine.write([[flushKey(2), record]], { sync: true });
    await expect(reopen(engine)).rejects.toSatisfy(stateCorrupt);
  });

  test('a record of a later format with a right checksum -> FORMAT_UNSUPPORTED', async () => {
    const { crc32 } = await import('../../src/base/crc32.js');
    const { binaryBytes } = await import('../../src/base/bytes.js');
    const later = new Uint8Array(20);
    later[0] = 3;
    const crc = crc32(later.subarray(0, 16), crc32(binaryBytes(appliedKey)));
    new DataView(later.buffer).setUint32(16, crc);
    const engine = await filled([1]);
    await engine.write([[appliedKey, later]], { sync: true });
    await expect(reopen(engine)).rejects.toSatisfy((e) => isKontikiError(e, 'FORMAT_UNSUPPORTED'));
  });
});

describe('a flush that shows and was never synced', () => {
  test('the process is killed, its successor opens, the power fails -> still there', async () => {
    const engine = new MemoryEngine();
    const backend = await reopen(engine);
    backend.apply([['c1', value(1)]], 10);
    await backend.flush();
    // The kernel has this one, the medium has not; nobody lives to hear of it.
    const chain = await FlushChain.open(engine);
    await engine.write([...chain.next([['c2', value(2)]], 20)], { sync: false });
    const successor = await reopen(engine);
    expect(successor.durableIndex).toBe(20);
    engine.crash();
    expect((await reopen(engine.reopen())).openedIndex).toBe(20);
  });
});
