// Reads at old revisions are made in parts. Enough keys and versions that every cut falls everywhere:
// between keys, inside the versions of one, on the last record.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command, RangeOperation } from '../../src/mvcc/index.js';
import { ReferenceModel } from './reference-model.js';
import { SortedBackend } from './sorted-backend.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const value = new Uint8Array(1);
const put = (key: string): Command => ({ op: 'put', key, value });
const remove = (key: string): Command => ({ op: 'delete', keys: { gte: key, lt: `${key}\0` } });
const nameOf = (nth: number): string =>
  String.fromCharCode(nth % 251, nth % 7).slice(0, 1 + (nth % 2));

/** Runs commands on both, and checks a read, with more commands after each of its fetches. */
class Pair {
  readonly backend = new SortedBackend();
  readonly model = new ReferenceModel();
  readonly keyspace = this.backend.open();
  fetches = 0;

  run(commands: readonly Command[]): void {
    this.backend.run(this.keyspace, commands);
    for (const command of commands) this.model.execute(command);
  }

  check(operation: RangeOperation, meanwhile: readonly Command[] = []): void {
    const expected = this.model.range(operation);
    let query = this.keyspace.rangeQuery(operation);
    this.fetches = 0;
    while (!query.done) {
      const reads = this.backend.read(query.plan);
      this.run(meanwhile);
      query = query.next(reads);
      this.fetches += 1;
    }
    expect(query.result).toEqual(expected);
  }
}

const change = fc.tuple(fc.nat(45), fc.integer({ min: 0, max: 5 })).map(([nth, kind]) => {
  return kind === 0 ? remove(nameOf(nth)) : put(nameOf(nth));
});
/** A key with more versions than a part holds. */
const hot = fc.tuple(fc.nat(45), fc.integer({ min: 30, max: 70 })).map(([nth, times]) => {
  return Array.from({ length: times }, () => put(nameOf(nth)));
});

describe('reads at old revisions', () => {
  test('any history, revision, limit and order -> the answer of the model', () => {
    const read = fc.record({
      revision: fc.nat(),
      limit: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
      count: fc.boolean(),
      descend: fc.boolean(),
      from: fc.option(fc.nat(45), { nil: undefined }),
      to: fc.option(fc.nat(45), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 20, maxLength: 150, size: 'max' }),
        fc.array(hot, { maxLength: 2 }),
        fc.array(change, { maxLength: 60, size: 'max' }),
        fc.array(read, { minLength: 3, maxLength: 6 }),
        fc.array(change, { maxLength: 3 }),
        (first, middle, last, reads, meanwhile) => {
          const pair = new Pair();
          pair.run([...first, ...middle.flat(), ...last]);
          for (const { revision, limit, count, descend, from, to } of reads) {
            const gte = from === undefined ? '' : nameOf(from);
            const lt = to === undefined || nameOf(to) === '\0' ? undefined : nameOf(to);
            const operation: RangeOperation = {
              ...{ op: 'range', keys: { gte, lt }, limit, count },
              revision: 1 + (revision % pair.model.revision),
              ...(descend && { sort: { target: 'key', order: 'descend' } as const }),
            };
            pair.check(operation, meanwhile);
          }
        },
      ),
      { numRuns: 60 * depth },
    );
  });

  test.each([15, 16, 17, 511, 512, 513, 1_024, 1_025])('%i keys, each changed since', (count) => {
    const pair = new Pair();
    const names = Array.from({ length: count }, (_, nth) => `k${String(nth).padStart(5, '0')}`);
    pair.run(names.map(put));
    const revision = pair.model.revision;
    pair.run(names.map((name, nth) => (nth % 3 === 0 ? remove(name) : put(name))));
    const keys = { gte: 'k' };
    for (const limit of [undefined, 1, 15, 16, 17, count - 1, count, count + 1]) {
      pair.check({ op: 'range', keys, revision, limit });
    }
  });

  test.each([31, 32, 33, 1_023, 1_024, 1_025])(
    'one key of %i versions among others',
    (versions) => {
      const pair = new Pair();
      pair.run(['a', 'b', 'c'].map(put));
      pair.run(Array.from({ length: versions }, () => put('b')));
      pair.run([put('a'), remove('c')]);
      for (const revision of [2, 3, 4, 5, 36, versions + 2, versions + 4, versions + 6]) {
        if (revision > pair.model.revision) continue;
        for (const limit of [undefined, 1, 2, 3, 4]) {
          pair.check({ op: 'range', keys: { gte: '' }, revision, limit });
        }
      }
    },
  );

  test('current records are cut long before closed versions are: no key between is lost', () => {
    const pair = new Pair();
    const named = (first: string, count: number) =>
      Array.from({ length: count }, (_, nth) => `${first}${String(nth).padStart(3, '0')}`);
    // b stays as it is, c is changed twice since, a is new since.
    pair.run([...named('b', 5), ...named('c', 40)].map(put));
    const { revision } = pair.model;
    pair.run([...named('c', 40), ...named('c', 40), ...named('a', 20)].map(put));
    for (const limit of [1, 4, 5, 6, 10, undefined]) {
      pair.check({ op: 'range', keys: { gte: '' }, revision, limit });
    }
  });

  test('a page of many keys: its fetches do not grow with the keys behind it', () => {
    const pair = new Pair();
    const names = Array.from({ length: 500 }, (_, nth) => `k${String(nth).padStart(5, '0')}`);
    pair.run([...names, ...names].map(put));
    pair.check({ op: 'range', keys: { gte: 'k' }, revision: 501, limit: 10 });
    expect(pair.fetches).toBe(2);
  });
});
