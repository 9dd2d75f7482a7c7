// The same commands on different backends, cut into different batches, flushed, reopened and compacted
// at different moments: equal hashes at every applied index, and in the end equal records, byte by byte.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Command, Operation } from '../../src/mvcc/index.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { MemoryEngine } from '../../src/storage/index.js';
import { commands } from './command-arbitraries.js';
import { depth } from './depth.js';
import { DrivenKeyspace, type EngineLives } from './driven-keyspace.js';

const memory: EngineLives = {
  open: async () => new MemoryEngine(),
  reopen: async (engine) => (engine as MemoryEngine).reopen(),
  crash: async (engine) => {
    (engine as MemoryEngine).crash();
    return (engine as MemoryEngine).reopen();
  },
};

function levelAt(path: string): EngineLives {
  const open = () => openClassicLevel(path);
  return { open, reopen: open };
}

/** What one member does between batches, all of its own choosing. */
const turn = fc.record({
  size: fc.integer({ min: 1, max: 7 }),
  flush: fc.boolean(),
  slice: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
  /** Only memory crashes; classic-level is closed and opened again. */
  end: fc.constantFrom(undefined, undefined, 'reopen' as const, 'crash' as const),
});
const turns = fc.array(turn, { minLength: 1, maxLength: 12 });
type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never;

/** Applies everything; the hash at the end of each batch must be the reference's at that index. */
async function live(
  member: DrivenKeyspace,
  sequence: readonly Command[],
  { own, hashes }: { own: readonly Turn[]; hashes: readonly string[] },
): Promise<void> {
  let at = 0;
  for (let nth = 0; at < sequence.length; nth += 1) {
    const { size, flush, slice, end } = own[nth % own.length]!;
    await member.run(sequence.slice(at, at + size));
    at = Math.min(sequence.length, at + size);
    if (slice !== undefined) await member.slice(slice);
    if (flush) await member.flush();
    if (end === 'crash' && member.canCrash) await member.crash();
    else if (end !== undefined) await member.reopen();
    expect(member.keyspace.stateHash, `hash at applied index ${at}`).toBe(hashes[at]);
  }
}

async function finish(member: DrivenKeyspace) {
  while (await member.slice(5)) await member.flush();
  await member.reopen();
  await member.scrub();
  const { stateHash, removedHash } = member.keyspace;
  const dump = await member.dump();
  await member.close();
  return { stateHash, removedHash, dump };
}

describe('determinism', () => {
  test(
    'memory and classic-level, flushed and compacted at random -> equal hashes, equal dumps',
    async () => {
      const property = fc.asyncProperty(
        fc.array(commands, { minLength: 5, maxLength: 60, size: 'max' }),
        turns,
        turns,
        async (sequence, ofMemory, ofLevel) => {
          const path = await mkdtemp(join(tmpdir(), 'kontiki-determinism-'));
          try {
            const one = await DrivenKeyspace.open(memory);
            const hashes = [one.keyspace.stateHash];
            for (const command of sequence) {
              await one.run([command]);
              hashes.push(one.keyspace.stateHash);
            }
            const other = await DrivenKeyspace.open(memory);
            await live(other, sequence, { own: ofMemory, hashes });
            const level = await DrivenKeyspace.open(levelAt(path));
            await live(level, sequence, { own: ofLevel, hashes });
            const expected = await finish(one);
            expect(await finish(other)).toEqual(expected);
            expect(await finish(level)).toEqual(expected);
          } finally {
            await rm(path, { recursive: true, force: true });
          }
        },
      );
      await fc.assert(property, { numRuns: 15 * depth });
    },
    60_000 * depth,
  );

  test('a member with other limits, as of another release: the same records and hash', async () => {
    const sequences = fc.sample(fc.array(commands, { minLength: 30, maxLength: 60, size: 'max' }), {
      numRuns: 10,
      seed: 1,
    });
    const ends = async (driven: typeof DrivenKeyspace) => {
      return Promise.all(
        sequences.map(async (sequence) => {
          const member = await driven.open(memory);
          await member.run(sequence);
          return { hash: member.keyspace.stateHash, dump: await member.dump() };
        }),
      );
    };
    const expected = await ends(DrivenKeyspace);
    vi.resetModules();
    vi.doMock(import('../../src/base/limits.js'), async (original) => {
      const { limits } = await original();
      const ones = Object.keys(limits).map((name) => [name, 1]);
      return { limits: Object.fromEntries(ones) as typeof limits };
    });
    try {
      const other = await import('./driven-keyspace.js');
      const { checkCommand } = await import('../../src/mvcc/index.js');
      const range: Operation = { op: 'range', keys: { gte: '' } };
      const two: Command = { op: 'txn', compares: [], success: [range, range], failure: [] };
      expect(() => checkCommand(two), 'the other limits count').toThrow();
      expect(await ends(other.DrivenKeyspace as never)).toEqual(expected);
    } finally {
      vi.doUnmock('../../src/base/limits.js');
      vi.resetModules();
    }
  });

  test('every command that changes something changes the hash, and every other one does not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(commands, { minLength: 1, maxLength: 20 }), async (sequence) => {
        const member = await DrivenKeyspace.open(memory);
        for (const command of sequence) {
          const { stateHash, revision, compactRevision } = member.keyspace;
          const { readLease } = member.keyspace;
          const leases = [...member.keyspace.leases()];
          const alarms = member.keyspace.alarms.list();
          await member.run([command]);
          const { keyspace } = member;
          const isChanged =
            keyspace.revision !== revision ||
            keyspace.compactRevision !== compactRevision ||
            !isDeepStrictEqual(keyspace.readLease, readLease) ||
            !isDeepStrictEqual(keyspace.alarms.list(), alarms) ||
            !isDeepStrictEqual([...keyspace.leases()], leases);
          expect(keyspace.stateHash !== stateHash).toBe(isChanged);
        }
        await member.close();
      }),
      { numRuns: 40 * depth },
    );
  });
});
