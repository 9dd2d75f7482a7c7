// The same commands on different backends, cut into different batches, flushed, reopened and compacted
// at different moments: equal hashes at every applied index, and in the end equal records, byte by byte.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../src/mvcc/index.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { MemoryEngine } from '../../src/storage/index.js';
import { commands } from './command-arbitraries.js';
import { DrivenKeyspace, type EngineLives } from './driven-keyspace.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));

const memory: EngineLives = {
  open: async () => new MemoryEngine(),
  reopen: async (engine) => (engine as MemoryEngine).reopen(),
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
  reopen: fc.boolean(),
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
    const { size, flush, slice, reopen } = own[nth % own.length]!;
    await member.run(sequence.slice(at, at + size));
    at = Math.min(sequence.length, at + size);
    if (slice !== undefined) await member.slice(slice);
    if (flush) await member.flush();
    if (reopen && nth % 3 === 0) await member.reopen();
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

  test('every command that changes something changes the hash, and every other one does not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(commands, { minLength: 1, maxLength: 20 }), async (sequence) => {
        const member = await DrivenKeyspace.open(memory);
        for (const command of sequence) {
          const { stateHash, revision, compactRevision } = member.keyspace;
          const leases = [...member.keyspace.leases()];
          await member.run([command]);
          const { keyspace } = member;
          const isChanged =
            keyspace.revision !== revision ||
            keyspace.compactRevision !== compactRevision ||
            !isDeepStrictEqual([...keyspace.leases()], leases);
          expect(keyspace.stateHash !== stateHash).toBe(isChanged);
        }
        await member.close();
      }),
      { numRuns: 40 * depth },
    );
  });
});
