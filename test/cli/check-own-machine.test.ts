// Goal: a sound member with a state machine of one's own is not called damaged because no keyspace is in its
// directory, and no tool makes one there; a store that lost its state is still told.
import { existsSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { concatBytes, utf8Bytes } from '../../src/base/bytes.js';
import { encodeStatePart } from '../../src/codec/state-part-codec.js';
import { openNode } from '../../src/index.js';
import { readMemberFile } from '../../src/storage/member-file.js';
import { nodeFileSystem as fs } from '../../src/storage/node-fs/index.js';
import { SnapshotFiles } from '../../src/storage/snapshot-files/store.js';
import { openWal } from '../../src/storage/wal/index.js';
import { listing, Place } from '../preset/place.js';
import { run } from './cli.js';

let place: Place;
let dir: string;
beforeEach(async () => {
  place = await Place.make();
  dir = place.dir('member');
});
afterEach(() => place.close());

const last = { term: 9, index: 1_000 };
const ownCommand = Uint8Array.of(129, 0, 0);
const storeCommand = Uint8Array.of(1, 0, 0);
const ownNote = /^note +a member with a state machine of its own: .*its state is not known/m;

async function ownMember(): Promise<void> {
  const stateMachine = {
    durableIndex: 0,
    open: async () => ({ appliedIndex: 0 }),
    apply: async (entries: readonly unknown[]) => entries.map(() => undefined),
    flush: async () => undefined,
    close: async () => undefined,
  };
  await (await openNode({ dir, tickMs: 10, stateMachine })).close();
}

async function storeWithoutState(): Promise<void> {
  await (await place.open({ dir })).close();
  rmSync(`${dir}/state`, { recursive: true });
}

/** Gives the member a log that begins behind entry 1,000. */
async function cutLog(
  data: readonly Uint8Array[],
  snapshot: readonly Uint8Array[] = [],
): Promise<void> {
  const { memberId } = (await readMemberFile(fs, dir)) ?? {};
  const configuration = { voters: [memberId as number] };
  if (snapshot.length > 0) {
    const files = await SnapshotFiles.open({ fs, dir: `${dir}/snapshots` });
    const sink = await files.create(last, configuration);
    for (const chunk of snapshot) await sink.write(chunk);
    await sink.commit();
    await files.close();
  }
  const log = await openWal({ fs, dir: `${dir}/wal`, voters: [] });
  const entries = data.map((each, nth) => {
    return { term: 9, index: last.index + 1 + nth, type: 'normal' as const, data: each };
  });
  const hardState = { term: 9, vote: 0, commit: last.index };
  await log.append({ snapshot: { last, configuration }, entries, hardState, mustSync: true });
  await log.installed(last);
  await log.close();
}

const keyspaceStream = [
  concatBytes([
    encodeStatePart({ kind: 'begin', appliedIndex: last.index }).slice(),
    encodeStatePart({ kind: 'end', count: 0 }).slice(),
  ]),
];

describe("a state machine of one's own whose log was cut", () => {
  test.each([
    ['commands in its log', [ownCommand], []],
    ['an entry of the group, then a command', [new Uint8Array(0), ownCommand], []],
    ['no command, a snapshot of a few bytes', [new Uint8Array(0)], [utf8Bytes('7')]],
    ['no command, a snapshot in JSON', [], [utf8Bytes('{"count":'), utf8Bytes('7}')]],
    ['commands, a snapshot that begins as that of a keyspace', [ownCommand], keyspaceStream],
  ])(
    '%s -> ok, and what was not looked at; no backup of a store is made',
    async (_, log, state) => {
      await ownMember();
      await cutLog(log, state);
      const before = await listing(dir);
      const checked = await run('check', dir);
      expect(checked).toMatchObject({ code: 0, errors: '' });
      expect(checked.out).toMatch(ownNote);
      expect(checked.out).toMatch(/^ok$/m);
      expect(checked.out).not.toMatch(/^state /m);
      const saved = await run('snapshot', 'save', place.dir('f'), '--dir', dir);
      const refusal = 'ARGUMENT_INVALID: expected the state of a store';
      expect(saved).toMatchObject({ code: 2, errors: expect.stringContaining(refusal) });
      expect(await listing(dir)).toEqual(before);
    },
  );

  test('damage in its log, or in its snapshot -> told', async () => {
    await ownMember();
    await cutLog([ownCommand], [utf8Bytes('7')]);
    const name = (await fs.list(`${dir}/snapshots`))[0];
    const file = await fs.open(`${dir}/snapshots/${name}`, 'read-write');
    await file.write(10, [Uint8Array.of(255)]);
    await file.close();
    const { code, out } = await run('check', dir);
    expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(/^damage +SNAPSHOT_C/m) });
  });
});

test('one that was never given a command -> ok; a save makes no state', async () => {
  await ownMember();
  expect(await run('check', dir)).toMatchObject({ code: 0, errors: '' });
  const saved = await run('snapshot', 'save', place.dir('f'), '--dir', dir);
  expect(saved).toMatchObject({ code: 2, errors: expect.stringContaining('ARGUMENT_INVALID') });
  expect(existsSync(`${dir}/state`)).toBe(false);
});

describe('a store whose log was cut, and whose state is gone', () => {
  test.each([
    ['commands in its log', [storeCommand], []],
    ['no command, a snapshot of a keyspace', [], keyspaceStream],
    ['nothing that tells', [], []],
  ])('%s -> damaged', async (_, log, state) => {
    await storeWithoutState();
    await cutLog(log, state);
    const { code, out } = await run('check', dir);
    expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(/^damage +STATE_C/m) });
    expect(out).not.toMatch(ownNote);
  });
});
