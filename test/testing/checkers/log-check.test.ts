// Goal: each rule of the check against the log is broken once, and the finding names it. That nothing
// legal is found is shown on random runs in agreement.test.ts.
import { describe, expect, test } from 'vitest';
import { utf8Bytes } from '../../../src/base/bytes.js';
import { limits } from '../../../src/base/limits.js';
import { selectKey } from '../../../src/mvcc/index.js';
import {
  type KeyspaceInput,
  type KeyspaceOutput,
  keyspaceSpecification,
} from '../../../src/testing/checkers/keyspace-model.js';
import { checkLog } from '../../../src/testing/checkers/log-check.js';
import type { LogEntry, LoggedOperation } from '../../../src/testing/checkers/log-types.js';

type KeyspaceOperation = LoggedOperation<KeyspaceInput, KeyspaceOutput>;

const put = (value: string): KeyspaceInput => ({ op: 'put', key: 'a', value: utf8Bytes(value) });
const readA = { op: 'range', keys: selectKey('a') } as const;
const noLease: KeyspaceInput = { op: 'put', key: 'a', value: utf8Bytes('x'), lease: 9n };

/** A put that takes two units of time and was answered with a revision. */
function putAt(callAt: number, request: string, revision: number): KeyspaceOperation {
  const times = { callAt, returnAt: callAt + 2 };
  return {
    client: request,
    request,
    input: put(request),
    output: { revision },
    ...times,
    outcome: 'ok',
  };
}

/** A read that saw a value at a revision. */
function readAt(callAt: number, value: string, revision: number): KeyspaceOperation {
  const kvs = value === '' ? [] : [{ value: utf8Bytes(value) }];
  const times = { callAt, returnAt: callAt + 2 };
  return { client: 'reader', input: readA, output: { revision, kvs }, ...times, outcome: 'ok' };
}

const entryOf = (request: string, revision?: number): LogEntry<KeyspaceInput> => {
  return { request, input: put(request), revision };
};

const log = [entryOf('p', 2), entryOf('q', 3)];
const puts = [putAt(0, 'p', 2), putAt(10, 'q', 3)];

function findings(history: readonly KeyspaceOperation[], entries = log) {
  const found = checkLog(keyspaceSpecification, { log: entries, history });
  return found.map(({ kind, operation, entry }) => [kind, operation, entry]);
}

describe('commands', () => {
  test('in the log once, with their answers -> nothing is found', () => {
    expect(findings([...puts, readAt(4, 'p', 2), readAt(14, 'q', 3)])).toEqual([]);
  });

  test('acknowledged and not in the log -> lost', () => {
    expect(findings(puts, [entryOf('p')])).toEqual([['lost', 1, undefined]]);
  });

  test('twice in the log -> applied-twice', () => {
    const twice = [entryOf('p'), entryOf('q'), entryOf('p')];
    expect(findings(puts, twice)).toEqual([['applied-twice', 0, 2]]);
  });

  test('in the log with another input -> altered', () => {
    const altered = [entryOf('p'), { request: 'q', input: put('z') }];
    expect(findings(puts, altered)).toEqual([['altered', 1, 1]]);
  });

  test('in the log and asked for by nobody -> unasked', () => {
    expect(findings([puts[0]!])).toEqual([['unasked', undefined, 1]]);
  });

  test('in the log without a request -> the own command of the group, and fine', () => {
    expect(findings([puts[0]!], [entryOf('p'), { input: put('z') }])).toEqual([]);
  });

  test('another answer than at its place -> wrong-answer', () => {
    expect(findings([puts[0]!, putAt(10, 'q', 4)])).toEqual([['wrong-answer', 1, 1]]);
  });

  test('a revision that the owner of the log counts otherwise -> wrong-revision', () => {
    expect(findings(puts, [entryOf('p', 2), entryOf('q', 4)])).toEqual([
      ['wrong-revision', undefined, 1],
    ]);
  });

  test('behind one that was called after its answer -> out-of-order', () => {
    const reversed = [entryOf('q'), entryOf('p')];
    expect(findings([putAt(0, 'p', 3), putAt(10, 'q', 2)], reversed)).toEqual([
      ['out-of-order', 1, 0],
    ]);
    expect(findings([putAt(0, 'p', 3), putAt(1, 'q', 2)], reversed)).toEqual([]);
  });

  test('rejected and in the log -> rejected-applied, unless the keyspace refused it', () => {
    const rejected = { client: 1, outcome: 'rejected', callAt: 0, returnAt: 1 } as const;
    const applied = { ...rejected, request: 'p', input: put('p') };
    expect(findings([applied], [entryOf('p')])).toEqual([['rejected-applied', 0, 0]]);
    const refused = { ...rejected, request: 'r', input: noLease };
    expect(findings([refused], [{ request: 'r', input: noLease }])).toEqual([]);
    expect(findings([refused], [])).toEqual([]);
  });

  test('a refusal that is the answer -> compared like any', () => {
    const history = (code: 'KEY_NOT_FOUND' | 'LEASE_NOT_FOUND'): KeyspaceOperation[] => [
      {
        client: 1,
        request: 'r',
        input: noLease,
        output: { code },
        callAt: 0,
        returnAt: 1,
        outcome: 'ok',
      },
    ];
    const entries = [{ request: 'r', input: noLease }];
    expect(findings(history('LEASE_NOT_FOUND'), entries)).toEqual([]);
    expect(findings(history('KEY_NOT_FOUND'), entries)).toEqual([['wrong-answer', 0, 0]]);
  });

  test('unknown -> in the log or not, at any time after its call', () => {
    const unknown = (callAt: number): KeyspaceOperation => {
      return {
        client: 1,
        request: 'p',
        input: put('p'),
        callAt,
        returnAt: Infinity,
        outcome: 'unknown',
      };
    };
    const q = putAt(10, 'q', 2);
    expect(findings([unknown(0), q], [entryOf('q')])).toEqual([]);
    expect(findings([unknown(0), q], [entryOf('q'), entryOf('p')])).toEqual([]);
    expect(findings([unknown(20), q], [entryOf('q'), entryOf('p')])).toEqual([]);
    const early = [entryOf('p'), entryOf('q')];
    expect(findings([unknown(20), putAt(10, 'q', 3)], early)).toEqual([['out-of-order', 0, 0]]);
  });
});

describe('reads', () => {
  test('of another content than their revision -> wrong-answer', () => {
    expect(findings([...puts, readAt(14, 'p', 3)])).toEqual([['wrong-answer', 2, undefined]]);
  });

  test('of a revision that never was -> wrong-answer', () => {
    expect(findings([...puts, readAt(14, 'q', 9)])).toEqual([['wrong-answer', 2, undefined]]);
  });

  test('of a state older than what was seen before -> out-of-order', () => {
    expect(findings([...puts, readAt(14, 'p', 2)])).toEqual([['out-of-order', 2, undefined]]);
    expect(findings([...puts, readAt(11, 'p', 2)])).toEqual([]);
    const after = [readAt(10, 'q', 3), readAt(14, 'p', 2)];
    expect(findings([putAt(0, 'p', 2), { ...putAt(9, 'q', 3), returnAt: 30 }, ...after])).toEqual([
      ['out-of-order', 3, undefined],
    ]);
  });

  test('of what is written only later -> the write is out-of-order', () => {
    expect(findings([...puts, readAt(4, 'q', 3)])).toEqual([['out-of-order', 1, 1]]);
    const serializable = { ...readAt(4, 'q', 3), serializable: true };
    expect(findings([...puts, serializable])).toEqual([['out-of-order', 1, 1]]);
  });

  test('serializable -> of any past, but never back within a session', () => {
    const old = (callAt: number, value: string, revision: number, session: string) => {
      return { ...readAt(callAt, value, revision), serializable: true, session };
    };
    expect(findings([...puts, old(14, '', 1, 's'), old(20, 'q', 3, 's')])).toEqual([]);
    expect(findings([...puts, old(14, 'q', 3, 's'), old(20, 'p', 2, 't')])).toEqual([]);
    expect(findings([...puts, old(14, 'q', 3, 's'), old(20, 'p', 2, 's')])).toEqual([
      ['out-of-order', 3, undefined],
    ]);
    expect(findings([...puts, old(14, 'p', 3, 's')])).toEqual([['wrong-answer', 2, undefined]]);
  });

  test('refused without a revision -> at any state that refuses them', () => {
    const compact: LogEntry<KeyspaceInput> = { input: { op: 'compact', revision: 3 } };
    const refused = (callAt: number): KeyspaceOperation => {
      const output = { code: 'COMPACTED', compactRevision: 3 } as const;
      const input = { ...readA, revision: 2 };
      return { client: 1, input, output, callAt, returnAt: callAt + 1, outcome: 'ok' };
    };
    expect(findings([...puts, refused(14)], [...log, compact])).toEqual([]);
    expect(findings([...puts, refused(14)], log)).toEqual([['wrong-answer', 2, undefined]]);
    // Before the second put nothing can have been compacted at its revision.
    expect(findings([...puts, refused(4)], [...log, compact])).toEqual([['out-of-order', 1, 1]]);
  });

  test('that failed -> not looked at', () => {
    const failed = { ...readAt(14, 'z', 9), outcome: 'unknown' } as const;
    expect(findings([...puts, failed])).toEqual([]);
  });
});

describe('the check itself', () => {
  test('a finding -> says what was done and what was right', () => {
    const [found] = checkLog(keyspaceSpecification, {
      log,
      history: [...puts, readAt(14, 'p', 3)],
    });
    expect(found?.message).toContain('of reader (range a [?=p]@3)');
    expect(found?.message).toContain('right is range a [a=q]@3');
  });

  test('one request for two operations -> ARGUMENT_INVALID', () => {
    expect(() => findings([puts[0]!, puts[0]!])).toThrow(/two operations have the request p/);
  });

  test('more findings than it may keep -> it ends', () => {
    const wrong = Array.from({ length: 300 }, (_, at) => readAt(20 + at, 'z', 3));
    expect(findings([...puts, ...wrong])).toHaveLength(limits.checkerFindingsMax);
    // Two findings each, but for the first.
    const unasked = Array.from({ length: 300 }, (_, at) => entryOf(`n${at}`, 1));
    unasked.unshift(entryOf('n'));
    expect(findings([], unasked)).toHaveLength(limits.checkerFindingsMax);
  });
});
