// What a crash may leave of the last group: cut off, and nothing else is lost.
import { describe, expect, test } from 'vitest';
import { FakeFiles, type Image } from './fake-files.js';
import {
  allEntries,
  append,
  bytes,
  type Contents,
  changed,
  contentsOf,
  entries,
  entry,
  expectRecovers,
  expectRefused,
  openLog,
  segmentPath,
  tailOf,
} from './log.js';

const sector = 512;
const path = segmentPath(1);

interface Written {
  readonly image: Image;
  /** Without the last group. */
  readonly before: Contents;
  readonly start: number;
  readonly end: number;
}

/** A log whose last group starts at `phase` in its sector and holds one entry of this data. */
async function writtenLog(phase: number, data: Uint8Array): Promise<Written> {
  const fs = new FakeFiles();
  const log = await openLog(fs);
  await append(log, entries(1, 1, 4, 150), { term: 1, vote: 3, commit: 2 });
  const { end: here } = await tailOf(fs.image());
  // Header, record header, entry header and trailer of a group take 62 bytes.
  const fill = (((phase - here - 62) % sector) + sector) % sector;
  await append(log, [entry(1, 4, bytes(fill < 8 ? fill + sector : fill, 5))]);
  const before = await contentsOf(fs.image());
  await append(log, [entry(2, 5, data)], { term: 2, vote: 1, commit: 3 });
  await log.close();
  const image = fs.image();
  const { start, end } = await tailOf(image);
  expect(start % sector).toBe(phase);
  return { image, before, start, end };
}

/** Data for a group that covers `sectors` sectors, wherever it starts. */
const dataOver = (sectors: number): Uint8Array => bytes((sectors - 1) * sector, 3);

// 504: the header lies in two sectors, eight bytes of it in the first.
const phases = [0, 8, 488, 496, 504];

describe('the file ends inside the last group', () => {
  test.each(phases)('cut at every byte, group at %i -> the state before it', async (phase) => {
    const { image, before, start, end } = await writtenLog(phase, bytes(450, 3));
    for (let size = start; size < end; size += 1) {
      const cut = changed(image, path, (file) => file.slice(0, size));
      await expectRecovers(cut, before, `cut at ${size} of ${start} to ${end}`);
    }
  });

  test('the cut is reported, and durable before anything is written', async () => {
    const { image, start, end } = await writtenLog(8, dataOver(3));
    const fs = new FakeFiles(changed(image, path, (file) => file.slice(0, end - 1)));
    const log = await openLog(fs);
    expect(log.recovery).toEqual({
      committedIndex: 2,
      lastIndex: 4,
      cut: { file: path, offset: start },
    });
    const kinds = fs.steps.map((step) => step.kind);
    expect(kinds.slice(kinds.indexOf('truncate')).slice(0, 2)).toEqual(['truncate', 'sync']);
    expect(kinds.indexOf('truncate')).toBeLessThan(kinds.indexOf('write'));
    expect(fs.steps.find((step) => step.kind === 'truncate')).toMatchObject({ offset: start });
    await log.close();
    expect((await openLog(fs)).recovery.cut).toBeUndefined();
  });
});

describe('sectors of the last group were never written', () => {
  test.each(phases)('each combination, group at %i -> the state before it', async (phase) => {
    const { image, before, start, end } = await writtenLog(phase, dataOver(3));
    const first = Math.floor(start / sector);
    const count = Math.ceil(end / sector) - first;
    expect(count).toBeGreaterThanOrEqual(3);
    for (let lost = 1; lost < 2 ** count; lost += 1) {
      const torn = changed(image, path, (file) => {
        for (let at = 0; at < count; at += 1) {
          if ((lost & (1 << at)) === 0) continue;
          const from = Math.max(start, (first + at) * sector);
          file.fill(0, from, Math.min(end, (first + at + 1) * sector));
        }
        return file;
      });
      await expectRecovers(torn, before, `lost ${lost.toString(2)} of ${count} sectors`);
      // And when the file became no longer than the last sector that was written.
      const short = changed(torn, path, (file) => file.slice(0, end - 8));
      await expectRecovers(short, before, `short, lost ${lost.toString(2)} of ${count} sectors`);
    }
  });

  test.each([
    ['zeros', new Uint8Array(4 * sector)],
    ['zeros and a bit', Uint8Array.from({ length: 4 * sector }, (_, at) => (at === 900 ? 4 : 0))],
  ])('a value of %s -> no different', async (_, data) => {
    const { image, before, start, end } = await writtenLog(40, data);
    const first = Math.floor(start / sector);
    for (let at = first; at < Math.ceil(end / sector); at += 1) {
      const torn = changed(image, path, (file) =>
        file.fill(0, Math.max(start, at * sector), Math.min(end, (at + 1) * sector)),
      );
      await expectRecovers(torn, before, `sector ${at}`);
      // The other way round: this sector alone was written.
      const lone = changed(image, path, (file) => {
        const kept = file.slice(Math.max(start, at * sector), Math.min(end, (at + 1) * sector));
        file.fill(0, start, end);
        file.set(kept, Math.max(start, at * sector));
        return file;
      });
      await expectRecovers(lone, before, `all but sector ${at}`);
    }
  });

  test('of a group shorter than a sector, beside the one before -> only it goes', async () => {
    const { image, before, start, end } = await writtenLog(80, bytes(30));
    const torn = changed(image, path, (file) => file.fill(0, start, end));
    await expectRecovers(torn, before);
  });

  test('damage beside it, in a sector that was written -> still torn', async () => {
    const { image, before, start } = await writtenLog(40, dataOver(5));
    const torn = changed(image, path, (file) => {
      file.fill(
        0,
        (Math.floor(start / sector) + 2) * sector,
        (Math.floor(start / sector) + 3) * sector,
      );
      file[start + 50]! ^= 1;
      return file;
    });
    await expectRecovers(torn, before);
  });
});

describe('the head of a segment', () => {
  test('cut at any byte -> WAL_CORRUPT: it was durable before the segment got its name', async () => {
    const fs = new FakeFiles();
    await (await openLog(fs, { preallocateBytes: 0 })).close();
    const image = fs.image();
    const { end } = await tailOf(image);
    for (let size = 0; size < end; size += 1) {
      const cut = changed(image, path, (file) => file.slice(0, size));
      await expectRefused(cut, { code: 'WAL_CORRUPT', file: path }, `cut at ${size}`);
    }
  });

  test('never finished, at any step of a new log -> the log begins anew', async () => {
    const clean = new FakeFiles();
    await (await openLog(clean)).close();
    for (let at = 0; at < clean.steps.length; at += 1) {
      const fs = new FakeFiles();
      let step = 0;
      fs.before = () => {
        step += 1;
        if (step > at) throw new Error('the process is gone');
      };
      await openLog(fs).then(
        (log) => log.close().catch(() => undefined),
        () => undefined,
      );
      const before = { entries: [], hardState: { term: 0, vote: 0, commit: 0 }, voters: undefined };
      await expectRecovers(fs.image(), before, `step ${at}`);
    }
  });
});

describe('the last group is whole but its sync failed', () => {
  test('reopened -> it is kept, written once more and synced before anything follows', async () => {
    const { image, start, end } = await writtenLog(40, dataOver(3));
    const fs = new FakeFiles(image);
    const log = await openLog(fs);
    expect(log.lastIndex()).toBe(5);
    const again = fs.steps.findIndex((step) => step.kind === 'write' && step.offset === start);
    expect(fs.steps[again]).toMatchObject({ length: end - start });
    expect(fs.steps.slice(again + 1).map((step) => step.kind)).toContain('sync');
    await log.close();
  });

  test('in a segment without groups -> its head is', async () => {
    const { image } = await writtenLog(40, dataOver(3));
    const fs = new FakeFiles(image);
    const log = await openLog(fs, { segmentBytes: 600 });
    await append(log, entries(2, 6, 7, 500));
    await log.close();
    const { first, segment } = await tailOf(fs.image());
    expect(segment).toBe(2);
    const rolled = changed(fs.image(), segmentPath(2), (file) => file.slice(0, first));
    const next = new FakeFiles(rolled);
    await (await openLog(next)).close();
    const header = { kind: 'write', path: segmentPath(2), offset: 0, length: first };
    expect(next.steps).toContainEqual(header);
  });
});

describe('not torn, although it looks like it', () => {
  test('zeros in the last group and anything behind it -> WAL_CORRUPT', async () => {
    const { image, start, end } = await writtenLog(0, dataOver(3));
    for (const behind of [end, end + 1, end + 700]) {
      const damaged = changed(image, path, (file) => {
        file.fill(0, start + sector, start + 2 * sector);
        file[behind] = 0x80;
        return file;
      });
      await expectRefused(damaged, { code: 'WAL_CORRUPT', file: path }, `byte ${behind}`);
    }
  });

  test('the log reads the same after the whole -> nothing was changed by reading', async () => {
    const { image, before } = await writtenLog(8, dataOver(3));
    const fs = new FakeFiles(image);
    const log = await openLog(fs);
    expect((await allEntries(log)).slice(0, 4)).toEqual(before.entries);
    await log.close();
  });
});
