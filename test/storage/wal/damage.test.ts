// Damage that no crash explains: refused by file and offset, and not a byte on disk is changed.
import { beforeAll, describe, expect, test } from 'vitest';
import { crc32 } from '../../../src/base/crc32.js';
import type { LogId } from '../../../src/raft/types.js';
import { GroupBuilder } from '../../../src/storage/wal/group-builder.js';
import { readWal } from '../../../src/storage/wal/index.js';
import { encodeSegmentHeader } from '../../../src/storage/wal/segment-header.js';
import { FakeFiles, type Image } from './fake-files.js';
import {
  append,
  bytes,
  changed,
  contentsOf,
  dir,
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
const corrupt = (file: string) => ({ code: 'WAL_CORRUPT', file });

/** Every one-byte change: one bit, another bit in every byte, and all bits. */
const flips = (at: number): readonly number[] => [1 << (at % 8), 0xff];

async function refusesEveryFlip(
  image: Image,
  file: string,
  range: { readonly from: number; readonly to: number; readonly step?: number },
): Promise<void> {
  for (let at = range.from; at < range.to; at += range.step ?? 1) {
    for (const flip of flips(at)) {
      const damaged = changed(image, file, (content) => {
        content[at]! ^= flip;
        return content;
      });
      await expectRefused(damaged, corrupt(file), `byte ${at} of ${file}, bits ${flip}`);
    }
  }
}

describe('one segment', () => {
  let image: Image;
  /** Starts of the groups, in order, and the end of the last. */
  const starts: number[] = [];

  beforeAll(async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { preallocateBytes: 2_048 });
    const note = async () => starts.push((await tailOf(fs.image())).start);
    await note();
    await append(log, entries(1, 1, 4, 40), { term: 1, vote: 2, commit: 1 });
    await note();
    // All zero, and of a length that leaves seven bytes of padding.
    await append(log, [entry(1, 4, new Uint8Array(3 * sector)), entry(1, 5, new Uint8Array(3))]);
    await note();
    await append(log, entries(2, 5, 8, 45), { term: 2, vote: 2, commit: 4 });
    await note();
    await log.close();
    image = fs.image();
    starts.push((await tailOf(image)).end);
  });

  test('the segment header, every byte -> WAL_CORRUPT at its start', async () => {
    await refusesEveryFlip(image, path, { from: 0, to: sector });
    const damaged = changed(image, path, (file) => file.fill(0, 0, sector));
    await expectRefused(damaged, { ...corrupt(path), offset: 0 });
  });

  test.each([0, 1, 2, 3])(
    'group %i, every byte from header to trailer -> WAL_CORRUPT',
    async (at) => {
      await refusesEveryFlip(image, path, { from: starts[at]!, to: starts[at + 1]! });
    },
  );

  test('the zeros behind the end, every byte -> WAL_CORRUPT', async () => {
    const size = image.get(path)!.length;
    expect(size).toBeGreaterThan(starts[4]! + 3 * sector);
    await refusesEveryFlip(image, path, { from: starts[4]!, to: starts[4]! + 700 });
    await refusesEveryFlip(image, path, { from: starts[4]! + 700, to: size, step: 13 });
  });

  test('the zeros behind a group that ends near a sector, every byte -> WAL_CORRUPT', async () => {
    for (const left of [8, 16, 24, 32]) {
      const fs = new FakeFiles(image);
      const log = await openLog(fs, { preallocateBytes: 2_048 });
      const { end } = await tailOf(image);
      // The next header would lie in two sectors.
      const data = (2 * sector - left - ((end + 62) % sector)) % sector;
      await append(log, [entry(2, 8, bytes(data, 9))]);
      await log.close();
      const next = await tailOf(fs.image());
      expect(sector - (next.end % sector)).toBe(left);
      await refusesEveryFlip(fs.image(), path, { from: next.end, to: next.end + 2 * sector });
    }
  });

  test('the offset -> that of the damaged record or header', async () => {
    const at = starts[1]! + 24 + 5;
    const damaged = changed(image, path, (file) => {
      file[at]! ^= 1;
      return file;
    });
    await expectRefused(damaged, { ...corrupt(path), offset: starts[1]! + 24 });
  });

  test('a sector of zeros in an earlier group -> WAL_CORRUPT', async () => {
    for (let at = sector; at < starts[3]! - sector; at += sector) {
      const damaged = changed(image, path, (file) => file.fill(0, at, at + sector));
      await expectRefused(damaged, corrupt(path), `sector at ${at}`);
    }
  });

  test('all of an earlier group gone to zeros -> WAL_CORRUPT', async () => {
    for (const at of [0, 1, 2]) {
      const damaged = changed(image, path, (file) => file.fill(0, starts[at], starts[at + 1]));
      await expectRefused(damaged, { ...corrupt(path), offset: starts[at] }, `group ${at}`);
    }
  });

  test('a group copied over another, or twice -> WAL_CORRUPT', async () => {
    const last = image.get(path)!.slice(starts[3], starts[4]);
    for (const to of [starts[1]!, starts[2]!, starts[4]!]) {
      const damaged = changed(image, path, (file) => {
        file.set(last, to);
        return file;
      });
      await expectRefused(damaged, corrupt(path), `at ${to}`);
    }
  });

  test('an older last group written back -> WAL_CORRUPT', async () => {
    const fs = new FakeFiles(image);
    const log = await openLog(fs, { preallocateBytes: 2_048 });
    await append(log, entries(2, 8, 10, 300));
    await append(log, entries(2, 10, 11, 300));
    await log.close();
    // What another history had at the same place: right position, right sequence, other chain.
    const other = new FakeFiles(image);
    const otherLog = await openLog(other, { preallocateBytes: 2_048 });
    await append(otherLog, entries(3, 8, 10, 300));
    await append(otherLog, entries(3, 10, 11, 300));
    await otherLog.close();
    const { start, end } = await tailOf(other.image());
    const foreign = other.image().get(path)!.slice(start, end);
    const damaged = changed(fs.image(), path, (file) => {
      file.set(foreign, start);
      return file;
    });
    await expectRefused(damaged, { ...corrupt(path), offset: start });
  });

  test('a sector gone to zeros that holds all headers left -> WAL_CORRUPT by what is behind', async () => {
    const fs = new FakeFiles(image);
    const log = await openLog(fs, { preallocateBytes: 2_048 });
    const fill = 2 * sector - ((starts[4]! + 62) % sector);
    await append(log, [entry(2, 8, bytes(fill, 9))]);
    const { end: start } = await tailOf(fs.image());
    expect(start % sector).toBe(0);
    await append(log, [entry(2, 9, bytes(100))]);
    await append(log, [entry(2, 10, bytes(2 * sector))]);
    await log.close();
    const damaged = changed(fs.image(), path, (file) => file.fill(0, start, start + sector));
    await expectRefused(damaged, { ...corrupt(path), offset: start });
  });

  test('a header of another segment, sequence or chain -> WAL_CORRUPT', async () => {
    const own = { segment: 1, sequence: 1, chain: 0 };
    for (const [wrong, offset] of [
      [{ segment: 2 }, 0],
      // The head behind it tells.
      [{ sequence: 2 }, sector],
      [{ chain: 1 }, sector],
    ] as const) {
      const damaged = changed(image, path, (file) => {
        file.set(encodeSegmentHeader({ ...own, ...wrong }, crc32));
        return file;
      });
      await expectRefused(damaged, { ...corrupt(path), offset }, JSON.stringify(wrong));
    }
  });

  test('an intact group of another sequence -> WAL_CORRUPT', async () => {
    const { segment, end } = await tailOf(image);
    const { tail } = await readWal({ fs: new FakeFiles(image), dir });
    const builder = new GroupBuilder(crc32, 0);
    builder.reset(tail!.next.chain);
    builder.addEntry(entry(2, 8));
    const group = builder.seal({ segment, offset: end, sequence: tail!.next.sequence + 1 });
    const damaged = changed(image, path, (file) => {
      file.set(group, end);
      return file;
    });
    await expectRefused(damaged, { ...corrupt(path), offset: end });
  });

  test('garbage of many bytes behind the end -> WAL_CORRUPT', async () => {
    for (const from of [starts[4]!, starts[4]! + 1]) {
      const damaged = changed(image, path, (file) => file.fill(0xa5, from, from + sector));
      await expectRefused(damaged, { ...corrupt(path), offset: starts[4] }, `from ${from}`);
    }
  });

  test('no damage -> opens, zeros and all', async () => {
    await expectRecovers(image, await contentsOf(image));
  });

  test('a later format version -> FORMAT_UNSUPPORTED by file and version', async () => {
    const later = changed(image, path, (file) => {
      const view = new DataView(file.buffer);
      view.setUint32(8, 2, true);
      view.setUint32(508, crc32(file.subarray(0, 508)), true);
      return file;
    });
    const message = expect.stringMatching(/0000000000000001\.wal .*format version 2/);
    await expectRefused(later, { code: 'FORMAT_UNSUPPORTED', message });
  });
});

describe('checksums are right, the history is impossible', () => {
  type Write = (builder: GroupBuilder) => unknown;
  const state = (term: number, vote: number, commit: number): Write => {
    return (builder) => builder.addHardState({ term, vote, commit });
  };
  const entryAt = (term: number, index: number): Write => {
    return (builder) => builder.addEntry(entry(term, index));
  };

  const id = (term: number, index: number): LogId => ({ term, index });
  const members = (index: number, voters: readonly number[]): Write => {
    return (builder) =>
      builder.addMark({ kind: 'configuration', applied: { index, configuration: { voters } } });
  };
  const snapshot = (term: number, index: number): Write => {
    const mark = { last: id(term, index), configuration: { voters: [1] } };
    return (builder) => builder.addMark({ kind: 'installing', snapshot: mark });
  };
  const start = (segment: number, position: LogId): Write => {
    return (builder) => builder.addMark({ kind: 'start', segment, position });
  };

  async function logWith(write: Write): Promise<{ image: Image; end: number }> {
    const fs = new FakeFiles();
    const log = await openLog(fs);
    await append(log, entries(3, 1, 5), { term: 3, vote: 2, commit: 2 });
    await log.close();
    const { tail } = await readWal({ fs, dir });
    const { segment, end, next } = tail!;
    const builder = new GroupBuilder(crc32, 0);
    builder.reset(next.chain);
    write(builder);
    const group = builder.seal({ segment, offset: end, sequence: next.sequence });
    const image = changed(fs.image(), path, (file) => {
      file.set(group, end);
      return file;
    });
    return { image, end };
  }

  test.each<[string, Write]>([
    ['an entry that leaves a hole', entryAt(3, 6)],
    ['a term that falls', entryAt(2, 5)],
    ['a committed entry that is replaced', entryAt(3, 2)],
    ['an entry at index 0', entryAt(3, 0)],
    ['a hard state of an earlier term', state(2, 0, 2)],
    ['a vote that changes', state(3, 1, 2)],
    ['a commit index that goes back', state(3, 2, 1)],
    ['a commit index beyond the log', state(3, 2, 5)],
    ['a member id of 0', members(4, [0])],
    ['a configuration beyond the log', members(5, [1])],
    ['a configuration that goes back', members(0, [1])],
    ['a snapshot of what is committed', snapshot(3, 1)],
    [
      'an install that never began',
      (builder) => builder.addMark({ kind: 'installed', last: id(3, 4) }),
    ],
    ['a start with a later segment', start(2, id(3, 4))],
    ['a start with the first segment', start(1, id(0, 0))],
    [
      'a head in the middle',
      (builder) => builder.addMark({ kind: 'head', position: id(3, 4), segment: 1 }),
    ],
  ])('%s -> WAL_CORRUPT at the record', async (_, write) => {
    const { image, end } = await logWith(write);
    await expectRefused(image, { ...corrupt(path), offset: end + 24 });
  });

  test.each<[string, Write]>([
    ['the next entry', entryAt(3, 5)],
    ['a suffix replaced', entryAt(4, 3)],
    ['a higher term without a vote', state(4, 0, 2)],
    ['all committed', state(3, 2, 4)],
  ])('%s -> opens: the test can tell', async (_, write) => {
    const { image } = await logWith(write);
    await expectRecovers(image, await contentsOf(image));
  });

  test('a segment that begins with something else than its head -> WAL_CORRUPT', async () => {
    const builder = new GroupBuilder(crc32, 0);
    builder.reset(0);
    builder.addEntry(entry(1, 1));
    const group = builder.seal({ segment: 1, offset: sector, sequence: 1 });
    const header = encodeSegmentHeader({ segment: 1, sequence: 1, chain: 0 }, crc32);
    const image = new Map([[path, Uint8Array.from([...header, ...group])]]);
    await expectRefused(image, { ...corrupt(path), offset: sector + 24 });
  });
});

describe('several segments', () => {
  let image: Image;
  let count: number;

  beforeAll(async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { segmentBytes: 2_048, preallocateBytes: 512 });
    for (let index = 1; index <= 14; index += 1) {
      await append(log, entries(1, index, index + 1, 300), { term: 1, vote: 1, commit: index - 1 });
    }
    await log.close();
    image = fs.image();
    count = image.size;
  });

  test('an earlier segment, every byte in steps -> WAL_CORRUPT there', async () => {
    expect(count).toBeGreaterThanOrEqual(4);
    const size = image.get(path)!.length;
    await refusesEveryFlip(image, path, { from: 0, to: size, step: 3 });
  });

  test('an earlier segment that is cut anywhere, or zero in its last group -> WAL_CORRUPT', async () => {
    const second = segmentPath(2);
    const alone = new Map([...image].filter(([name]) => name <= second));
    const { end, start } = await tailOf(alone);
    for (let size = 0; size < end; size += 5) {
      const damaged = changed(image, second, (file) => file.slice(0, size));
      const refused = { code: 'WAL_CORRUPT' };
      await expectRefused(damaged, refused, `cut at ${size}`);
    }
    const zeroed = changed(image, second, (file) => file.fill(0, start, end));
    await expectRefused(zeroed, { code: 'WAL_CORRUPT' });
  });

  test('a missing segment but the last -> WAL_CORRUPT by its name', async () => {
    for (let at = 1; at < count; at += 1) {
      const damaged = changed(image, segmentPath(at), () => undefined);
      await expectRefused(damaged, { ...corrupt(segmentPath(at)), offset: 0 });
    }
  });

  test('renamed, swapped, doubled segments -> WAL_CORRUPT', async () => {
    const renamed = new Map(image);
    renamed.set(segmentPath(count + 1), image.get(segmentPath(count))!);
    await expectRefused(renamed, { ...corrupt(segmentPath(count + 1)), offset: 0 }, 'doubled');
    renamed.delete(segmentPath(count));
    await expectRefused(renamed, { ...corrupt(segmentPath(count + 1)), offset: 0 }, 'renamed');
    const swapped = new Map(image);
    swapped.set(segmentPath(2), image.get(segmentPath(3))!);
    swapped.set(segmentPath(3), image.get(segmentPath(2))!);
    await expectRefused(swapped, { ...corrupt(segmentPath(2)), offset: 0 }, 'swapped');
  });

  test('a segment of another log of the same shape -> WAL_CORRUPT', async () => {
    const fs = new FakeFiles();
    const log = await openLog(fs, { segmentBytes: 2_048, preallocateBytes: 512 });
    for (let index = 1; index <= 14; index += 1) {
      await append(log, entries(2, index, index + 1, 300), { term: 2, vote: 1, commit: index - 1 });
    }
    await log.close();
    const mixed = new Map(image);
    mixed.set(segmentPath(3), fs.image().get(segmentPath(3))!);
    await expectRefused(mixed, { ...corrupt(segmentPath(3)), offset: 0 });
  });

  test('a later segment beside a log whose last group is torn -> WAL_CORRUPT', async () => {
    const last = segmentPath(count - 1);
    const alone = new Map([...image].filter(([name]) => name <= last));
    const { end } = await tailOf(alone);
    const damaged = changed(image, last, (file) => file.slice(0, end - 1));
    damaged.set(segmentPath(count), new Uint8Array(sector));
    await expectRefused(damaged, corrupt(last));
  });

  test.each<[string, Uint8Array]>([
    ['empty', new Uint8Array()],
    ['a header of zeros', new Uint8Array(sector)],
    ['zeros behind it', new Uint8Array(5 * sector)],
    ['garbage', bytes(5 * sector, 9)],
  ])('a segment that got its name without its head, %s -> WAL_CORRUPT', async (_, content) => {
    const last = segmentPath(count + 1);
    await expectRefused(new Map([...image, [last, content]]), { ...corrupt(last), offset: 0 });
  });

  test.each<[string, Uint8Array]>([
    ['empty', new Uint8Array()],
    ['zeros', new Uint8Array(5 * sector)],
    ['garbage', bytes(5 * sector, 9)],
  ])('a file that was to become a segment, %s -> removed', async (_, content) => {
    const before = await contentsOf(image);
    await expectRecovers(new Map([...image, [`${segmentPath(count + 1)}.tmp`, content]]), before);
    const fs = new FakeFiles(new Map([...image, [`${segmentPath(count + 1)}.tmp`, content]]));
    await (await openLog(fs, { preallocateBytes: 0 })).close();
    expect([...fs.image().keys()]).toEqual([...image.keys()]);
  });

  test('a last segment whose header is damaged or cut -> WAL_CORRUPT', async () => {
    const last = segmentPath(count);
    await refusesEveryFlip(image, last, { from: 0, to: sector, step: 7 });
    for (let size = 1; size < sector; size += 10) {
      const cut = changed(image, last, (file) => {
        file[size >> 1]! ^= 1;
        return file.slice(0, size);
      });
      await expectRefused(cut, { ...corrupt(last), offset: 0 }, `cut at ${size}`);
    }
    const zeroed = changed(image, last, (file) => file.fill(0, 0, sector));
    await expectRefused(zeroed, { ...corrupt(last), offset: 0 });
  });

  test('files of other names -> left alone', async () => {
    const beside = new Map(image);
    beside.set(`${dir}/notes.txt`, bytes(10));
    beside.set(`${segmentPath(2)}.bak`, bytes(10));
    await expectRecovers(beside, await contentsOf(image));
  });
});
