// Looking for space again while groups are on their way: the driver does so with every tick.
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import type { WalLogStore } from '../../../src/storage/wal/index.js';
import { FakeFiles, Gate, type Step, settled } from './fake-files.js';
import { allEntries, append, entries, openLog } from './log.js';

const options = { segmentBytes: 4_096, preallocateBytes: 2_048 };

function noSpace({ kind, path }: Step): never {
  throw kontikiError('NO_SPACE', `full: ${kind} ${path}`);
}

/** Appends single entries of 300 bytes up to `last`. */
async function appendTo(log: WalLogStore, last: number): Promise<void> {
  for (let at = log.lastIndex() + 1; at <= last; at += 1) {
    await append(log, entries(1, at, at + 1, 300));
    await settled();
  }
}

async function expectReopened(fs: FakeFiles, log: WalLogStore): Promise<void> {
  const last = log.lastIndex();
  await log.close();
  fs.before = undefined;
  const again = await openLog(fs, options);
  expect(again.recovery.cut).toBeUndefined();
  expect(await allEntries(again)).toEqual(entries(1, 1, last + 1, 300));
  await again.close();
}

describe('space is looked for again', () => {
  test('beside a group that grows the file -> no zeros over the group', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { ...options, segmentBytes: 1 << 16 });
    await appendTo(log, 1);
    // Too little space for zeros, enough for a group.
    fs.before = (step) => {
      if (step.kind === 'write' && (step.length ?? 0) > 512) noSpace(step);
    };
    await appendTo(log, 12);
    expect(log.hasSpace).toBe(false);
    // The sync of the group is held; what comes beside it finds space.
    const gate = new Gate(({ kind }) => kind === 'sync');
    fs.before = gate.before;
    const appending = append(log, entries(1, 13, 14, 300));
    while (gate.waiting === 0) await settled();
    const reserving = log.reserve();
    await settled();
    gate.open();
    await Promise.all([appending, reserving]);
    await expectReopened(fs, log);
  });

  test('beside the start of a segment -> its file is not taken away', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    const gate = new Gate(({ kind, path }) => kind === 'write' && path.endsWith('.tmp'));
    let isFull = false;
    fs.before = (step) => {
      if (isFull && step.kind === 'create') noSpace(step);
      // Once the group is written there is no space for the next segment.
      if (step.kind === 'write' && step.path.endsWith('.wal')) isFull = true;
      return gate.before(step);
    };
    let appending = Promise.resolve();
    for (let at = 1; gate.waiting === 0; at += 1) {
      await appending;
      isFull = false;
      appending = append(log, entries(1, at, at + 1, 300));
      await settled();
    }
    expect(log.hasSpace).toBe(false);
    isFull = false;
    const reserving = log.reserve();
    await settled();
    gate.open();
    await Promise.all([appending, reserving]);
    fs.before = undefined;
    await appendTo(log, log.lastIndex() + 3);
    await expectReopened(fs, log);
  });
});

describe('space that is there again', () => {
  test('after a part of the zeros was written -> found, though little is lacking', async () => {
    const fs = new FakeFiles();
    const large = { segmentBytes: 1 << 24, preallocateBytes: 1 << 20 };
    const log = await openLog(fs, large);
    await settled();
    // A group of so much asks for zeros in two pieces, of which the second does not fit.
    let zeros = 0;
    fs.before = (step) => {
      if (step.kind !== 'write' || step.length === undefined || step.length > 1 << 18) return;
      if (step.length < 4_096) return;
      zeros += 1;
      if (zeros > 1) noSpace(step);
    };
    await append(log, entries(1, 1, 2, 300 * 1024));
    while (log.hasSpace) await settled();
    fs.before = undefined;
    expect(await log.reserve()).toBe(true);
    await log.close();
  });

  test('but no descriptor for the segment to come -> it is not said to lack space', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, options);
    // The segment has all its zeros; those of the next one do not fit.
    fs.before = (step) => {
      if (step.kind === 'write' && step.path.endsWith('.tmp')) noSpace(step);
    };
    for (let last = 1; log.hasSpace; last += 1) await appendTo(log, last);
    // There is space again, and the next segment cannot be made for another reason.
    fs.before = ({ kind, path }) => {
      if (kind === 'create') throw kontikiError('STORAGE_IO', `too many open files: ${path}`);
    };
    for (let tick = 0; tick < 100; tick += 1) await log.reserve();
    // Room in the segment is left for a put, and whoever needs the next one hears why there is none.
    expect(log.hasSpace).toBe(true);
    const failure = await appendTo(log, log.lastIndex() + 20).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'STORAGE_IO' });
    await log.close();
  });
});
