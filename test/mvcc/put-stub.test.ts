// The first version of a key is stored once: in its current record, then in history, where a stub was. Later ones
// are in history from the start. Reads of history that find a stub are exact however many changes come between
// their fetches.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command, HistoryRange, KeyEvent, RevisionEvents } from '../../src/mvcc/index.js';
import { countedForm, decodeStub, encodeStub, isStub, isStubOf } from '../../src/mvcc/put-stub.js';
import {
  decodeEnded,
  decodeHistory,
  encodeChange,
  isWholeInHistory,
} from '../../src/mvcc/record.js';
import { seal } from '../../src/mvcc/record-bytes.js';
import { currentKey, historyKey } from '../../src/mvcc/record-keys.js';
import { HashSums } from '../../src/mvcc/state-hash.js';
import { commands, selections } from './command-arbitraries.js';
import { depth } from './depth.js';
import { ReferenceModel } from './reference-model.js';
import { SortedBackend } from './sorted-backend.js';

const corrupt = expect.objectContaining({ code: 'STATE_CORRUPT' });
const position = { revision: 6, sub: 3 };
const putRecord = encodeChange({
  type: 'put',
  sub: position.sub,
  version: {
    key: 'key',
    value: Uint8Array.of(1, 2, 3),
    createRevision: position.revision,
    modRevision: position.revision,
    version: 1,
    lease: 9n,
  },
  previous: { revision: 0, sub: 0 },
});
const at = historyKey(position);

describe('stubs', () => {
  const stub = encodeStub(putRecord);

  test('all of the put but its version, and its checksum', () => {
    expect(isStub(stub)).toBe(true);
    expect(isStub(putRecord)).toBe(false);
    const decoded = decodeStub(at, stub);
    expect(decoded).toEqual({
      ...{ type: 'stub', sub: 3, version: { key: 'key', modRevision: 6 } },
      ...{ previous: { revision: 0, sub: 0 }, crc: expect.any(Number) },
    });
    expect(decodeHistory(at, stub)).toEqual(decoded);
    expect(decodeHistory(at, putRecord)).toEqual(decodeEnded(at, putRecord));
    expect(isStubOf(decoded, putRecord)).toBe(true);
    expect(isStubOf(decoded, encodeStub(putRecord))).toBe(false);
  });

  test('the layout is pinned', () => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    expect(hex(stub).slice(8)).toBe(
      [
        ...['01', '02', '00000003', '0000000000000006', hex(putRecord.subarray(0, 4))],
        ...['0000000000000000', '00000000', '6b6579'],
      ].join(''),
    );
  });

  test('every flipped bit, every cut, another position -> STATE_CORRUPT', () => {
    for (let bit = 0; bit < stub.length * 8; bit += 1) {
      const bad = stub.slice();
      bad[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeHistory(at, bad)).toThrow(corrupt);
    }
    for (let size = 0; size < stub.length; size += 1) {
      expect(() => decodeHistory(at, stub.slice(0, size))).toThrow(corrupt);
    }
    for (const other of [{ revision: 7 }, { sub: 2 }]) {
      const elsewhere = historyKey({ ...position, ...other });
      expect(() => decodeStub(elsewhere, stub)).toThrow(corrupt);
    }
    // Where only a whole record may be, and under a key's current version.
    expect(() => decodeEnded(at, stub)).toThrow(corrupt);
  });

  test('a put and its stub count as the same, a delete as itself', () => {
    const [whole, moved] = [new HashSums(), new HashSums()];
    whole.addRecord(at, putRecord);
    moved.addRecord(at, stub);
    expect(moved.text('history')).toBe(whole.text('history'));
    expect(countedForm(stub)).toBe(stub);
    const { version, ...rest } = decodeEnded(at, putRecord);
    const gone = encodeChange({ ...rest, type: 'delete', version });
    expect(countedForm(gone)).toBe(gone);
  });

  test('a put over another version has none: it counts as itself', () => {
    const change = decodeEnded(at, putRecord);
    const over = encodeChange({ ...change, previous: { revision: 5, sub: 1 } });
    expect([putRecord, over].map(isWholeInHistory)).toEqual([false, true]);
    expect(countedForm(over)).toBe(over);
    const sums = [new HashSums(), new HashSums()] as const;
    sums[0].addPut(over, over);
    sums[0].addPut(putRecord, stub);
    for (const bytes of [over, putRecord]) {
      sums[1].addRecord(at, bytes);
      sums[1].addRecord(currentKey('key'), bytes);
    }
    for (const lane of ['keys', 'history'] as const) {
      expect(sums[0].text(lane)).toBe(sums[1].text(lane));
    }
  });
});

/** What happens between two fetches. */
type Meanwhile = readonly Command[] | 'remove';

class Pair {
  readonly backend = new SortedBackend();
  readonly model = new ReferenceModel();
  readonly keyspace = this.backend.open();
  /** Fetches of the last query. */
  fetches = 0;

  run(meanwhile: Meanwhile): void {
    if (meanwhile === 'remove') return this.#remove();
    this.backend.run(this.keyspace, meanwhile);
    for (const command of meanwhile) this.model.execute(command);
  }

  /** Reads history while something else happens after each fetch; what is said must be true. */
  check(range: HistoryRange, meanwhile: readonly Meanwhile[]): void {
    const { fromRevision } = range;
    this.fetches = 0;
    try {
      let query = this.keyspace.historyQuery(range);
      while (!query.done) {
        const reads = this.backend.read(query.plan);
        const between = meanwhile[this.fetches];
        if (between !== undefined) this.run(between);
        this.fetches += 1;
        query = query.next(reads);
      }
      const { revisions, nextRevision } = query.result;
      expect(revisions).toEqual(this.#expected(range, nextRevision));
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'COMPACTED') throw error;
      expect(fromRevision).toBeLessThan(this.model.compactRevision);
    }
  }

  #remove(): void {
    const query = this.keyspace.compactionSlice(1_000);
    if (query === undefined) return;
    this.backend.apply(this.keyspace.finishSlice(this.backend.answer(query)));
  }

  #expected({ fromRevision, keys, noPut, noDelete, previous }: HistoryRange, to: number) {
    const groups = this.model.history(fromRevision, keys ?? { gte: '' }) as KeyEvent[][];
    const revisions: RevisionEvents[] = [];
    for (const group of groups) {
      const events = group
        .filter(({ type }) => (type === 'put' ? noPut !== true : noDelete !== true))
        .map(({ previous: before, ...event }) =>
          before === undefined || previous === false ? event : { ...event, previous: before },
        );
      const revision = group[0]!.revision;
      if (revision < to && events.length > 0) revisions.push({ revision, events });
    }
    return revisions;
  }
}

const flag = fc.constantFrom(undefined, true);
const read = fc.record({
  from: fc.nat(),
  limit: fc.constantFrom(1, 2, 3, 5, 50),
  keys: fc.option(selections, { nil: undefined }),
  previous: fc.constantFrom(undefined, false),
  noPut: flag,
  noDelete: flag,
  meanwhile: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.array(commands, { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.constant('remove' as const) },
    ),
    { maxLength: 8 },
  ),
});

const put = (key: string, value = 1): Command => {
  return { op: 'put', key, value: Uint8Array.of(value) };
};
const remove = (key: string): Command => ({ op: 'delete', keys: { gte: key, lt: `${key}\0` } });

describe('reads of history while versions move', () => {
  test('any commands, compactions and removals between any two fetches -> what the model says', () => {
    fc.assert(
      fc.property(
        fc.array(commands, { minLength: 3, maxLength: 40, size: 'max' }),
        fc.array(read, { minLength: 1, maxLength: 5 }),
        (first, reads) => {
          const pair = new Pair();
          pair.run(first);
          for (const { from, meanwhile, ...range } of reads) {
            const { compactRevision, revision } = pair.model;
            const fromRevision = compactRevision + (from % (revision - compactRevision + 1));
            pair.check({ ...range, fromRevision }, meanwhile);
          }
          pair.run('remove');
          pair.check({ fromRevision: pair.model.compactRevision, limit: 1_000 }, []);
        },
      ),
      { numRuns: 80 * depth },
    );
  });

  const changes: [string, Command][] = [
    ['overwritten', put('a', 2)],
    ['deleted', remove('a')],
    ['deleted with everything', { op: 'delete', keys: { gte: '' } }],
  ];

  test.each(changes)('%s between any two fetches -> the version that was put', (_what, change) => {
    for (const before of [0, 1, 2]) {
      const pair = new Pair();
      pair.run([put('c'), put('b'), put('a')]);
      const meanwhile: Meanwhile[] = [[], [], []];
      meanwhile[before] = [change, put('a', 3)];
      pair.check({ fromRevision: 2, limit: 10 }, meanwhile);
      // Only one that is gone before the current record is read is looked for in history again.
      expect(pair.fetches).toBe(before === 0 ? 3 : 2);
    }
  });

  test('replaced and removed meanwhile, by a compaction to above it -> COMPACTED', () => {
    const pair = new Pair();
    pair.run([put('a'), put('b')]);
    const query = pair.keyspace.historyQuery({ fromRevision: 2, limit: 10 });
    if (query.done) throw new Error('there is something to read');
    const reads = pair.backend.read(query.plan);
    pair.run([put('a'), { op: 'compact', revision: 4 }]);
    pair.run('remove');
    expect(() => query.next(reads)).toThrow(expect.objectContaining({ code: 'COMPACTED' }));
  });

  test('a compaction to the revision itself -> the version is still there', () => {
    const pair = new Pair();
    pair.run([put('a'), put('b')]);
    const compact: Command = { op: 'compact', revision: 3 };
    pair.check({ fromRevision: 3, limit: 10 }, [[put('b'), compact], 'remove', 'remove']);
    expect(pair.fetches).toBe(3);
  });

  const damages: [string, (records: Map<string, Uint8Array>) => unknown][] = [
    ['is lost', (records) => records.delete(currentKey('a'))],
    [
      'is another one of the same revision',
      (records) => {
        const { version, ...rest } = decodeEnded(
          historyKey({ revision: 2, sub: 0 }),
          records.get(currentKey('a'))!,
        );
        const value = Uint8Array.of(77);
        records.set(currentKey('a'), encodeChange({ ...rest, version: { ...version, value } }));
      },
    ],
  ];

  test.each(damages)('the current version %s -> STATE_CORRUPT', (_what, damage) => {
    const pair = new Pair();
    pair.run([put('a')]);
    damage(pair.backend.records);
    const query = pair.keyspace.historyQuery({ fromRevision: 2, limit: 10 });
    expect(() => pair.backend.answer(query)).toThrow(corrupt);
  });
});

test('a first version is stored once; a later one twice while it is current', () => {
  const pair = new Pair();
  const value = Uint8Array.from({ length: 50 }, (_, n) => n);
  pair.run([
    { ...put('a'), value } as Command,
    { ...put('b'), value } as Command,
    { ...put('c'), value } as Command,
    { ...put('a'), value } as Command,
    remove('b'),
  ]);
  const whole = [...pair.backend.records].filter(([, bytes]) => bytes.length > value.length + 34);
  const text = Buffer.from(value).toString('latin1');
  const holding = whole.filter(([, bytes]) => Buffer.from(bytes).toString('latin1').includes(text));
  const keys = [2, 3, 5].map((revision) => historyKey({ revision, sub: 0 }));
  expect(holding.map(([key]) => key).sort()).toEqual([currentKey('a'), currentKey('c'), ...keys]);
  const { records } = pair.backend;
  expect(records.get(currentKey('a'))).toEqual(records.get(keys[2]!));
});

test.each(['overwritten', 'deleted'])(
  'a put that has a stub though it replaced a version, %s -> it moves',
  (how) => {
    const pair = new Pair();
    pair.run([put('a'), put('a', 2)]);
    const { records } = pair.backend;
    const [current, at] = [currentKey('a'), historyKey({ revision: 3, sub: 0 })];
    const former = records.get(current)!.slice();
    former[5] = 0;
    seal(former);
    records.set(current, former);
    records.set(at, encodeStub(former));
    pair.check({ fromRevision: 2, limit: 10 }, []);
    pair.run([how === 'deleted' ? remove('a') : put('a', 3)]);
    expect(records.get(at)).toEqual(former);
    pair.check({ fromRevision: 2, limit: 10 }, []);
  },
);
