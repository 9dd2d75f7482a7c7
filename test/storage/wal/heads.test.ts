// The head of a segment repeats what was read before it; alone, it is all there is to know.
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../../src/base/crc32.js';
import { readWal } from '../../../src/storage/wal/index.js';
import { encodeHead, type LogHead } from '../../../src/storage/wal/log-head.js';
import { FakeFiles, type Image } from './fake-files.js';
import {
  allEntries,
  append,
  contentsOf,
  dir,
  entries,
  expectRecovers,
  expectRefused,
  openLog,
  segmentPath,
  voters,
} from './log.js';

const path = segmentPath(2);

/** A log of one segment, and behind it a second one with this head, all checksums right. */
async function logWith(change: Partial<LogHead>): Promise<Image> {
  const fs = new FakeFiles();
  const log = await openLog(fs, { preallocateBytes: 0 });
  await append(log, entries(3, 1, 6), { term: 3, vote: 2, commit: 4 });
  await log.close();
  const { history, tail } = await readWal({ fs, dir });
  const { next } = tail!;
  const header = { segment: 2, sequence: next.sequence, chain: next.chain };
  const head = encodeHead(header, { ...history.head, ...change }, { crc32, groupId: 0 });
  return new Map([...fs.image(), [path, head]]);
}

const hardState = (term: number, vote: number, commit: number) => ({
  hardState: { term, vote, commit },
});
const snapshot = { last: { term: 3, index: 5 }, configuration: { voters: [1] } };

describe('a head that does not follow', () => {
  test.each<[string, Partial<LogHead>]>([
    ['another index', { position: { term: 3, index: 4 } }],
    ['another term', { position: { term: 2, index: 5 } }],
    ['another start of the log', { startSegment: 2 }],
    ['a start of the log that is yet to come', { startSegment: 3 }],
    ['an earlier term', hardState(2, 2, 4)],
    ['another vote', hardState(3, 1, 4)],
    ['an earlier commit index', hardState(3, 2, 3)],
    ['a commit index beyond the log', hardState(3, 2, 6)],
    ['other members', { configurations: [{ index: 0, configuration: { voters: [1, 2] } }] }],
    ['members of another index', { configurations: [{ index: 1, configuration: { voters } }] }],
    ['a snapshot that is not being installed', { installing: snapshot }],
  ])('%s -> WAL_CORRUPT in the head', async (_, change) => {
    const image = await logWith(change);
    await expectRefused(image, { code: 'WAL_CORRUPT', file: path });
  });

  test.each<[string, Partial<LogHead>]>([
    ['what was read before', {}],
    ['a commit index that was waiting for company', hardState(3, 2, 5)],
  ])('%s -> opens: the test can tell', async (_, change) => {
    const image = await logWith(change);
    await expectRecovers(image, await contentsOf(image));
  });
});

describe('a head alone', () => {
  const alone = (change: Partial<LogHead>): Image => {
    const header = { segment: 9, sequence: 70, chain: 0xabcd };
    const head: LogHead = {
      position: { term: 3, index: 500 },
      startSegment: 9,
      hardState: { term: 4, vote: 0, commit: 500 },
      configurations: [{ index: 480, configuration: { voters: [1, 2, 3] } }],
      installing: undefined,
      ...change,
    };
    return new Map([[segmentPath(9), encodeHead(header, head, { crc32, groupId: 0 })]]);
  };

  test('of the segment the log starts with -> all that is needed', async () => {
    const fs = new FakeFiles(alone({}));
    const log = await openLog(fs, { applied: 500 });
    expect([log.firstIndex(), log.lastIndex(), log.term(500)]).toEqual([501, 500, 3]);
    expect(log.initialState()).toEqual({
      hardState: { term: 4, vote: 0, commit: 500 },
      voters: [1, 2, 3],
    });
    await append(log, entries(4, 501, 504));
    await log.close();
    expect(await allEntries(await openLog(fs))).toEqual(entries(4, 501, 504));
  });

  test.each<[string, Partial<LogHead>, string]>([
    ['an earlier segment is missing', { startSegment: 7 }, segmentPath(7)],
    ['it starts behind what is committed', hardState(4, 0, 499), segmentPath(9)],
    ['nothing stands behind index 0', { position: { term: 0, index: 1 } }, segmentPath(9)],
  ])('%s -> WAL_CORRUPT', async (_, change, file) => {
    await expectRefused(alone(change), { code: 'WAL_CORRUPT', file });
  });
});
