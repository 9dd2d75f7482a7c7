// Sessions against the reference model: requests that come once, again, late and never, in whatever
// batches, through crashes and reopenings, with tables that overflow. Every answer is the model's, the
// hash is that of a keyspace that executes one by one, and all records add up.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Keyspace, KeyspaceAudit } from '../../src/mvcc/index.js';
import { answersPerPage, decodeSessionPage } from '../../src/mvcc/session-record.js';
import { MemoryEngine } from '../../src/storage/index.js';
import { commands } from './command-arbitraries.js';
import { depth } from './depth.js';
import type { EngineLives } from './driven-keyspace.js';
import { ReferencePair } from './reference-pair.js';
import type { Requested } from './reference-sessions.js';
import { SortedBackend } from './sorted-backend.js';

const lives: EngineLives = {
  open: async () => new MemoryEngine(),
  reopen: async (engine) => (engine as MemoryEngine).reopen(),
  crash: async (engine) => {
    (engine as MemoryEngine).crash();
    return (engine as MemoryEngine).reopen();
  },
};

/** One that makes requests, and how far it got. */
interface Proposer {
  readonly session: number;
  next: number;
}

const large = Uint8Array.from({ length: 700 }, (_, at) => at);
const longAnswer: fc.Arbitrary<Requested> = fc.constantFrom(
  { op: 'put', key: 'a', value: large, previous: true },
  { op: 'put', key: 'b', value: large, previous: true },
  { op: 'delete', keys: { gte: 'a', lt: 'c' }, previous: true },
);
const request = fc.record({
  command: fc.oneof({ weight: 2, arbitrary: commands }, { weight: 1, arbitrary: longAnswer }),
  /** Of the proposers, the newest first. */
  nth: fc.nat(3),
  /** How far behind the next number: 0 is a new request. */
  back: fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 40 })),
  /** Requests that are still open, below this one. */
  open: fc.integer({ min: -1, max: 45 }),
  /** Numbers left out before it. */
  skip: fc.oneof(fc.constant(0), fc.constant(0), fc.constantFrom(1, 31, 4_000, 4_096, 9_000)),
});
const step = fc.oneof(
  { weight: 8, arbitrary: fc.array(request, { minLength: 1, maxLength: 12, size: 'max' }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom(63, 64, 65) },
  { weight: 2, arbitrary: fc.constantFrom('crash', 'flush', 'reopen') },
);

class World {
  readonly pair: ReferencePair;
  readonly #proposers: Proposer[] = [];

  constructor(pair: ReferencePair) {
    this.pair = pair;
  }

  async open(count: number): Promise<void> {
    const { executed } = this.pair.model;
    for (let at = 1; at <= count; at += 1) {
      this.#proposers.unshift({ session: executed + at, next: 1 });
    }
    await this.pair.run(Array.from({ length: count }, () => ({ op: 'session-open' })));
  }

  async request(requests: readonly (typeof request extends fc.Arbitrary<infer R> ? R : never)[]) {
    const batch: Requested[] = [];
    for (const { command, nth, back, open, skip } of requests) {
      const proposer = this.#proposers[nth];
      const isOld = proposer !== undefined && nth === 3;
      const { session } = (isOld ? this.#proposers.at(-1) : proposer) ?? { session: 2 ** 52 };
      if (proposer !== undefined) proposer.next += back === 0 ? 1 + skip : 0;
      const seq = Math.max(1, (proposer?.next ?? 2) - 1 - back);
      const doneBelow = Math.max(1, seq - open);
      batch.push({ ...command, request: { session, seq, doneBelow } });
    }
    await this.pair.run(batch);
  }
}

/** No page is kept whose requests would all be refused. */
function checkPages(records: readonly (readonly [string, Uint8Array])[]): void {
  const pages = records.map((record) => decodeSessionPage(...record));
  for (const { session, page } of pages) {
    const own = pages.filter((other) => other.session === session);
    const floor = Math.max(...own.map((other) => other.floor));
    expect((page + 1) * answersPerPage).toBeGreaterThan(floor);
  }
}

const put = (session: number, seq: number, doneBelow = 1): Requested => ({
  op: 'put',
  key: 'k',
  value: Uint8Array.of(seq),
  request: { session, seq, doneBelow },
});
const open: Requested = { op: 'session-open' };

function codes(backend: SortedBackend, keyspace: Keyspace, batch: readonly Requested[]): unknown[] {
  return backend.run(keyspace, batch).map(({ result }) => {
    return 'op' in result ? result.revision : result.code;
  });
}

describe('sessions', () => {
  test('the same request again, in the batch or later -> the answer of the first, no new revision', () => {
    const backend = new SortedBackend();
    const keyspace = backend.open();
    expect(codes(backend, keyspace, [open, put(1, 1), put(1, 1), put(1, 2)])).toEqual([1, 2, 2, 3]);
    expect(codes(backend, backend.open(), [put(1, 2), put(1, 1)])).toEqual([3, 2]);
  });

  test('a request below doneBelow, of no session, or far behind -> SESSION_EXPIRED, not executed', () => {
    const backend = new SortedBackend();
    const keyspace = backend.open();
    const batch = [
      open,
      put(1, 5, 5),
      put(1, 4),
      put(7, 1),
      put(1, 5_000),
      put(1, 904),
      put(1, 905),
    ];
    const expired = 'SESSION_EXPIRED';
    expect(codes(backend, keyspace, batch)).toEqual([1, 2, expired, expired, 3, expired, 4]);
  });

  test('a session that is opened under the oldest one, which has to go for it -> opened, the other is gone', () => {
    const backend = new SortedBackend();
    const keyspace = backend.open();
    codes(
      backend,
      keyspace,
      Array.from({ length: 64 }, () => open),
    );
    const strange: Requested = { ...open, request: { session: 1, seq: 1, doneBelow: 1 } };
    expect(codes(backend, keyspace, [strange, put(1, 2), put(65, 1)])).toEqual([
      1,
      'SESSION_EXPIRED',
      2,
    ]);
  });

  test('an error is kept as well: the same request is refused, though it could succeed by now', () => {
    const backend = new SortedBackend();
    const keyspace = backend.open();
    const keep: Requested = { ...(put(1, 1) as Requested & { op: 'put' }), ignoreLease: true };
    const batch = [open, keep, put(1, 2), keep];
    expect(codes(backend, keyspace, batch)).toEqual([1, 'KEY_NOT_FOUND', 2, 'KEY_NOT_FOUND']);
  });

  test('a full table -> the session whose last request is longest ago goes, after a restart too', () => {
    const backend = new SortedBackend();
    // Of session 1 an old page is the one that was written to last.
    codes(backend, backend.open(), [open, open, put(1, 40), put(2, 1), put(1, 5)]);
    const keyspace = backend.open();
    codes(
      backend,
      keyspace,
      Array.from({ length: 63 }, () => open),
    );
    expect(keyspace.sessionCount).toBe(64);
    expect(codes(backend, keyspace, [put(2, 1), put(1, 5)])).toEqual(['SESSION_EXPIRED', 4]);
  });

  test(
    'any requests, crowds, crashes and reopenings -> what the model says',
    async () => {
      let repeated = 0;
      let expired = 0;
      let cut = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 6, maxLength: 30, size: 'max' }),
          async (its) => {
            const pair = await ReferencePair.open(lives);
            const world = new World(pair);
            const { answered } = pair.model.sessions;
            pair.model.sessions.answered = function (this: typeof pair.model.sessions, asked) {
              const answer = answered.call(this, asked);
              if (answer?.code === 'SESSION_EXPIRED') expired += 1;
              else if (answer?.partial === true) cut += 1;
              else if (answer !== undefined) repeated += 1;
              return answer;
            };
            for (const it of its) {
              if (typeof it === 'number') await world.open(it);
              else if (it === 'crash') await pair.crash();
              else if (it === 'flush' || it === 'reopen') await pair.driven[it]();
              else await world.request(it);
            }
            await pair.driven.scrub();
            const audit = new KeyspaceAudit();
            const records = await pair.driven.dump();
            for (const record of records) audit.add(...record);
            audit.end();
            checkPages(records.filter(([key]) => key.startsWith('s')));
            expect(audit.counts.sessions).toBe(pair.driven.keyspace.sessionCount);
            await pair.driven.close();
          },
        ),
        { numRuns: 60 * depth },
      );
      expect(repeated).toBeGreaterThan(100 * depth);
      expect(expired).toBeGreaterThan(100 * depth);
      expect(cut).toBeGreaterThan(0);
    },
    60_000 * depth,
  );
});
