// Goal: what a call was given to wait counts for all of it, also while the state is read: a range whose
// engine takes minutes ends within its time, or with its signal, and what it began is left to end by itself.
import { beforeEach, describe, expect, test } from 'vitest';
import { type KontikiError, kontikiError } from '../../src/base/errors.js';
import type { Lease } from '../../src/store/lease.js';
import { op } from '../../src/store/operations.js';
import type { StoreStateMachine } from '../../src/store/state-machine.js';
import type { Store } from '../../src/store/store.js';
import { StoreReads, type StoreReadsParts } from '../../src/store/store-reads.js';
import type { SimCluster } from '../../src/testing/cluster/sim-cluster.js';
import { storeCluster } from '../../src/testing/cluster/store-cluster.js';
import { VirtualTime } from '../node/virtual-time.js';

interface Waits {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

interface Reader {
  readonly store: Store;
  readonly lease: Lease;
}

/** Of all that look at the state; none of it is in memory. */
const calls: readonly [string, (reader: Reader, waits: Waits) => Promise<unknown>][] = [
  ['get', ({ store }, waits) => store.get('k1', waits)],
  ['a local get', ({ store }, waits) => store.get('k1', { serializable: true, ...waits })],
  ['get of a past revision', ({ store }, waits) => store.get('k1', { revision: 5, ...waits })],
  ['range', ({ store }, waits) => store.range({ prefix: 'k', ...waits })],
  ['count', ({ store }, waits) => store.range({ prefix: 'k', countOnly: true, ...waits })],
  ['a page of a scan', ({ store }, waits) => store.scan({ prefix: 'k', ...waits }).next()],
  ['a transaction', ({ store }, waits) => store.txn().do(op.get('k1')).commit(waits)],
  ['timeToLive', ({ lease }, waits) => lease.timeToLive({ keys: true, ...waits })],
];

const ofRead = expect.toSatisfy(
  (error: KontikiError) => error.code === 'TIMEOUT' && error.outcome === undefined,
);

/** What a call ended with, and how many milliseconds after it was made. */
interface End {
  readonly error: unknown;
  readonly afterMs: number;
}

describe('a store on a disk that hardly answers', () => {
  let cluster: SimCluster<Store>;
  let reader: Reader;

  beforeEach(async () => {
    const tuning = { versionCacheBytes: 0 };
    cluster = storeCluster({ seed: 7, members: 1, tuning });
    await cluster.startAll();
    const store = cluster.service('n1');
    const lease = await cluster.sim.complete(store.lease(10_000), 10_000);
    for (let nth = 0; nth < 20; nth += 1) {
      await cluster.sim.complete(store.put(`k${nth}`, '1', { lease: lease.id }), 10_000);
    }
    // What was written is flushed, and read from the engine.
    await cluster.sim.run(3_000);
    reader = { store, lease };
    cluster.machine('n1').engineDisk.slowByUs = 40_000_000;
  });

  function ended(call: Promise<unknown>): { end?: End } {
    const fromMs = cluster.sim.nowMs;
    const seen: { end?: End } = {};
    const over = (error: unknown) => {
      seen.end = { error, afterMs: cluster.sim.nowMs - fromMs };
    };
    call.then(() => over(undefined), over);
    return seen;
  }

  test.each(calls)('%s with a timeout of 1,000 ms -> TIMEOUT then', async (_, call) => {
    const seen = ended(call(reader, { timeoutMs: 1_000 }));
    await cluster.sim.run(200_000);
    expect(seen.end?.error).toEqual(ofRead);
    expect(seen.end?.afterMs).toBeGreaterThanOrEqual(1_000);
    expect(seen.end?.afterMs).toBeLessThan(1_010);
  });

  test.each(calls)('%s, without a timeout -> TIMEOUT after that of the store', async (_, call) => {
    const seen = ended(call(reader, {}));
    await cluster.sim.run(200_000);
    expect(seen.end?.error).toEqual(ofRead);
    expect(Math.round(seen.end?.afterMs ?? 0)).toBe(7_000);
  });

  test.each(calls)('%s that is aborted -> its reason at once', async (_, call) => {
    const abort = new AbortController();
    const seen = ended(call(reader, { signal: abort.signal }));
    await cluster.sim.run(500);
    expect(seen.end).toBeUndefined();
    abort.abort('enough');
    await cluster.sim.run(10);
    expect(seen.end?.error).toBe('enough');
    expect(seen.end?.afterMs).toBeLessThan(511);
  });

  test('one whose time is long enough -> its answer', async () => {
    const got = cluster.sim.complete(reader.store.get('k1', { timeoutMs: 90_000 }), 90_000);
    expect((await got)?.text()).toBe('1');
  });

  test('closed meanwhile -> CLOSED, long before its time is over', async () => {
    const seen = ended(reader.store.range({ prefix: 'k', timeoutMs: 600_000 }));
    await cluster.sim.run(100);
    await cluster.sim.complete(reader.store.close(), 400_000);
    await cluster.sim.run(100_000);
    expect(seen.end?.error).toMatchObject({ code: 'CLOSED' });
  });
});

describe('one whose engine answers when it is told to', () => {
  const time = new VirtualTime();
  /** Of the reads under way, in the order in which they began. */
  let engine: { answer: () => void; fail: (error: unknown) => void }[];
  /** Slices of a query. */
  let slices: number;
  let reads: StoreReads;
  let machine: ReturnType<typeof stateOf>;
  let reached: (revision: number) => void;
  /** Set so far. */
  let timers: number;

  const stateOf = () => {
    const query = (left: number): object =>
      left === 0
        ? { done: true, result: 'all of it' }
        : { done: false, plan: {}, next: () => query(left - 1) };
    const read = () =>
      new Promise((resolve, reject) => {
        engine.push({ answer: () => resolve({ records: [], ranges: [] }), fail: reject });
      });
    return {
      backend: { read, pause: async () => undefined },
      keyspace: { revision: 9, historyQuery: () => query(slices) },
      cache: { rangeQuery: () => query(slices) },
      whenRevision: (tell: typeof reached) => {
        reached = tell;
      },
    };
  };

  beforeEach(() => {
    engine = [];
    slices = 3;
    timers = 0;
    machine = stateOf();
    reads = new StoreReads({
      machine: machine as unknown as StoreStateMachine,
      node: { readIndex: () => new Promise((resolve) => void time.after(600, () => resolve(9))) },
      refusal: () => undefined,
      timers: {
        after: (ms: number, callback: () => void) => {
          timers += 1;
          return time.after(ms, callback);
        },
      },
      ...{ clock: time, timeoutMs: 1_000 },
    } as unknown as StoreReadsParts);
  });

  const range = (options: object) =>
    reads.range({ op: 'range', keys: { gte: 'a', lt: 'b' } }, options);

  test('a barrier and slices that each take less than the timeout -> TIMEOUT of all together', async () => {
    const fromMs = time.monotonicMs();
    const timer = time.pending;
    const outcome = expect(range({})).rejects.toEqual(ofRead);
    await time.run(700);
    engine[0]?.answer();
    await time.run(200);
    engine[1]?.answer();
    expect(engine).toHaveLength(2);
    await time.until(() => time.pending === timer);
    await outcome;
    expect(time.monotonicMs() - fromMs).toBe(1_000);
    expect(engine).toHaveLength(3);
  });

  test('what was left behind comes, or fails, later -> nothing more is read, and nobody is told', async () => {
    for (const end of ['answer', 'fail'] as const) {
      const abort = new AbortController();
      const outcome = expect(range({ serializable: true, signal: abort.signal })).rejects.toBe(
        'no',
      );
      await time.run(10);
      abort.abort('no');
      await outcome;
      const begun = engine.length;
      engine.at(-1)?.[end](new Error('of the disk'));
      await time.run(10);
      expect([engine.length, time.pending]).toEqual([begun, 0]);
    }
  });

  test('it answers in time -> no timer is left, no listener either', async () => {
    const { signal } = new AbortController();
    let listening = 0;
    Object.assign(signal, {
      addEventListener: () => (listening += 1),
      removeEventListener: () => (listening -= 1),
    });
    const reading = range({ serializable: true, signal });
    for (let nth = 0; nth < slices; nth += 1) {
      await time.run(10);
      expect([listening, time.pending]).toEqual([1, 1]);
      engine[nth]?.answer();
    }
    expect(await reading).toBe('all of it');
    expect([listening, time.pending]).toEqual([0, 0]);
  });

  test('all of it is in memory -> no timer and no listener', async () => {
    slices = 0;
    const { signal } = new AbortController();
    let heard = 0;
    Object.assign(signal, { addEventListener: () => (heard += 1) });
    const reading = range({ serializable: true, signal });
    expect(await reading).toBe('all of it');
    expect([heard, timers]).toEqual([0, 0]);
  });

  test('another state takes its place after its time -> TIMEOUT, it does not begin anew', async () => {
    const outcome = expect(range({ serializable: true })).rejects.toEqual(ofRead);
    await time.run(500);
    Object.assign(machine, stateOf());
    await time.run(500);
    await outcome;
    expect([engine.length, time.pending]).toEqual([1, 0]);
  });

  test('the engine fails -> that, whatever time is left', async () => {
    const error = kontikiError('STORAGE_IO', 'of the disk');
    const outcome = expect(range({ serializable: true })).rejects.toBe(error);
    await time.run(10);
    engine[0]?.fail(error);
    await outcome;
    expect(time.pending).toBe(0);
  });

  test('a minRevision that comes late -> what is left of the time is for the read', async () => {
    const reading = range({ serializable: true, minRevision: 10 });
    const outcome = expect(reading).rejects.toEqual(ofRead);
    await time.run(900);
    Object.assign(machine.keyspace, { revision: 10 });
    reached(10);
    await time.run(99);
    expect([engine.length, time.pending]).toEqual([1, 1]);
    await time.run(1);
    await outcome;
    expect(time.pending).toBe(0);
  });

  test('closed while the engine is read -> what comes is still an answer', async () => {
    slices = 1;
    const reading = range({ serializable: true });
    await time.run(10);
    reads.close(kontikiError('CLOSED', 'closed'));
    engine[0]?.answer();
    expect(await reading).toBe('all of it');
    expect(time.pending).toBe(0);
  });
});
