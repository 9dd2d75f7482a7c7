import { describe, expect, test } from 'vitest';
import { utf8Bytes } from '../../../src/base/bytes.js';
import type { Command } from '../../../src/mvcc/types.js';
import { keyspaceSpecification } from '../../../src/testing/checkers/keyspace-model.js';
import type { KeyspaceState } from '../../../src/testing/checkers/keyspace-state.js';
import { LogReplay } from '../../../src/testing/checkers/log-replay.js';
import { RevisionHistory, watchFinding } from '../../../src/testing/workload/check-watch.js';
import type { SeenChange, WatchRecord } from '../../../src/testing/workload/watch-record.js';

const put = (key: string): Command => ({ op: 'put', key, value: utf8Bytes(key) });
const log = [
  put('a'),
  put('b'),
  put('a'),
  { op: 'delete', keys: { gte: 'b', lt: 'b\0' } } as const,
];

/** What happened if these commands were carried out. */
function historyOf(...commands: readonly Command[]): RevisionHistory {
  const entries = commands.map((input) => ({ input }));
  const state = new LogReplay(keyspaceSpecification, entries).states.at(-1);
  return new RevisionHistory(state as KeyspaceState);
}

/** Revisions 2 to 5: a, b, a again, b deleted. */
const history = historyOf(...log);
const compacted = historyOf(...log, { op: 'compact', revision: 5 });
const all = [2, 3, 4, 5].flatMap((revision) => history.changesOf(revision));

/** What came of a watch from revision 2 on that got these changes, each in a batch of its own. */
function findingOf(
  changes: readonly SeenChange[],
  others: Partial<WatchRecord> = {},
  happened = history,
) {
  const batches = changes.map(({ revision }, at) => ({ revision, changes: at + 1, whole: true }));
  const record: WatchRecord = {
    ...{ member: 'n1.1', keys: { gte: 'a', lt: 'z' }, filter: {}, fromRevision: 2 },
    ...{ changes: [...changes], batches, ...others },
  };
  return watchFinding(record, happened)?.id;
}

const at = (...places: readonly number[]) => places.map((place) => all[place] as SeenChange);

describe('what a watch was handed', () => {
  test('everything, once, in order -> fine; up to anywhere -> fine', () => {
    expect(all.map(({ type, key }) => `${type} ${key}`)).toEqual([
      ...['put a', 'put b', 'put a', 'delete b'],
    ]);
    for (let end = 0; end <= 4; end += 1) expect(findingOf(all.slice(0, end))).toBeUndefined();
  });

  test('one is missing, twice there, or out of order -> W4 or W1', () => {
    expect(findingOf(at(0, 2, 3))).toBe('W4');
    expect(findingOf(at(0, 1, 1, 2))).toBe('W1');
    expect(findingOf(at(1, 0))).toBe('W4');
  });

  test('the version before is another one, or missing -> W4; at the compacted revision it may be', () => {
    const [a, b, again, gone] = all as [SeenChange, SeenChange, SeenChange, SeenChange];
    const altered = { ...again, previousContent: `${again.previousContent}9` };
    expect(findingOf([a, b, altered, gone])).toBe('W4');
    const { previous: _, previousContent: __, ...bare } = gone;
    const left = { ...bare, previous: undefined, previousContent: undefined };
    expect(findingOf([a, b, again, left])).toBe('W4');
    expect(findingOf([a, b, again, left], {}, compacted)).toBeUndefined();
  });

  test('a change outside of the range, or that the filter leaves out -> found', () => {
    expect(findingOf(all, { keys: { gte: 'a', lt: 'b' } })).toBe('W4');
    expect(findingOf(at(0, 2), { keys: { gte: 'a', lt: 'b' } })).toBeUndefined();
    expect(findingOf(all, { filter: { noDelete: true } })).toBe('W4');
    expect(findingOf(at(0, 1, 2), { filter: { noDelete: true } })).toBeUndefined();
    expect(findingOf(at(3), { filter: { noPut: true } })).toBeUndefined();
  });

  test('told of a revision before the start, or that nobody wrote -> W6', () => {
    const told = (revision: number) => ({ batches: [{ revision, changes: 0, whole: true }] });
    expect(findingOf([], { ...told(6), fromRevision: 6 })).toBe('W6');
    expect(findingOf([], { ...told(5), fromRevision: 6 })).toBeUndefined();
    expect(findingOf([], { ...told(4), fromRevision: 6 })).toBe('W6');
  });

  test('told that the next revision is compacted, which is still readable at the edge -> W10', () => {
    const end = 'compacted';
    expect(findingOf(at(0, 1), { end, compactRevision: 5 }, compacted)).toBeUndefined();
    expect(findingOf(at(0, 1), { end, compactRevision: 4 }, compacted)).toBe('W10');
  });

  test('told of a compaction that never was, or of a later one than there was -> W10', () => {
    const end = 'compacted';
    expect(findingOf(at(0, 1), { end, compactRevision: 5 })).toBe('W10');
    expect(findingOf(at(0), { end, compactRevision: 6 }, compacted)).toBe('W10');
  });
});
