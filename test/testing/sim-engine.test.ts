// The engine of one machine: order, views, batches, and what is left of them after a crash.
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { EngineBatch, KvEngine } from '../../src/storage/kv-engine.js';
import { EngineView } from '../../src/testing/engine-view.js';
import type { SimMachine } from '../../src/testing/sim-machine.js';
import { Simulator } from '../../src/testing/simulator.js';

const value = (n: number): Uint8Array => Uint8Array.of(n);
const everything = { gte: '', lt: '\uffff' };

let sim: Simulator;
let machine: SimMachine;
let engine: KvEngine;

const done = <T>(promise: Promise<T>): Promise<T> => sim.complete(promise, 100);
const open = (): Promise<KvEngine> => done(machine.boot().openEngine('data/state'));
const start = async (seed: number): Promise<void> => {
  sim = new Simulator({ seed, traceLines: 0 });
  machine = sim.machine('n1');
  engine = await open();
};
const put = (key: string, n: number, sync = false): Promise<void> =>
  done(engine.write([[key, value(n)]], { sync }));
const contents = (): string =>
  machine.engineDisk
    .view('data/state')
    .pairs()
    .map(([key, bytes]) => `${key}${bytes[0]}`)
    .join(' ');

/** `contents` after a batch. */
function written(state: string, changes: EngineBatch): string {
  const pairs = new Map(
    state
      .split(' ')
      .filter((pair) => pair !== '')
      .map((pair) => [pair.charAt(0), pair]),
  );
  for (const [key, bytes] of changes) {
    if (bytes === undefined) pairs.delete(key);
    else pairs.set(key, `${key}${bytes[0]}`);
  }
  return [...pairs.values()].sort().join(' ');
}

beforeEach(() => start(1));

describe('engine view', () => {
  test('any batches -> same as a Map, and older views unchanged', () => {
    const change = fc.tuple(
      fc.string({ maxLength: 2 }),
      fc.option(fc.nat(255), { nil: undefined }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 8 }), (batches) => {
        const model = new Map<string, Uint8Array>();
        let view = EngineView.empty;
        const kept: [EngineView, unknown][] = [];
        for (const batch of batches) {
          const changes = batch.map(([key, n]) => [key, n === undefined ? n : value(n)] as const);
          view = view.with(changes);
          for (const [key, bytes] of changes) {
            if (bytes === undefined) model.delete(key);
            else model.set(key, bytes);
          }
          kept.push([view, [...model].sort(([a], [b]) => (a < b ? -1 : 1))]);
          for (const key of ['', 'a', 'zz', ...model.keys()]) {
            expect(view.get(key)).toBe(model.get(key));
          }
        }
        for (const [old, pairs] of kept) expect(old.pairs()).toEqual(pairs);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a living engine', () => {
  test('reads -> values at the time of the call, in the order of the keys', async () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      await start(seed);
      await put('b', 1);
      const reading = engine.getMany(['c', 'b', 'a']);
      const writing = engine.write([['b', value(2)]], { sync: false });
      expect(await done(reading)).toEqual([undefined, value(1), undefined]);
      await done(writing);
      expect(await done(engine.getMany(['b']))).toEqual([value(2)]);
    }
  });

  test('an iterator -> the state at its creation, in chunks, from either end', async () => {
    const batch = ['a', 'b', 'c', 'd', 'e'].map((key, at) => [key, value(at)] as const);
    await done(engine.write(batch, { sync: true }));
    const forward = engine.iterate({ gte: 'b', lt: 'e' });
    const backward = engine.iterate({ gte: 'b', lt: 'e', reverse: true });
    await done(
      engine.write(
        [
          ['c', undefined],
          ['cc', value(9)],
        ],
        { sync: false },
      ),
    );
    const keys = async (cursor: typeof forward, count: number): Promise<string> =>
      (await done(cursor.next(count))).map(([key]) => key).join('');
    expect(await keys(forward, 2)).toBe('bc');
    expect(await keys(forward, 2)).toBe('d');
    expect(await keys(forward, 2)).toBe('');
    expect(await keys(backward, 9)).toBe('dcb');
    await done(forward.close());
    await done(forward.close());
    expect(await keys(engine.iterate(everything), 9)).toBe('abccde');
    expect(await keys(engine.iterate({ gte: 'x', lt: 'b' }), 9)).toBe('');
  });

  test('opened twice -> DIR_LOCKED; closed -> waits for the write, then CLOSED', async () => {
    machine.crash();
    const { openEngine } = machine.boot();
    engine = await done(openEngine('data/state'));
    await expect(done(openEngine('data/state'))).rejects.toMatchObject({ code: 'DIR_LOCKED' });
    const order: string[] = [];
    const writing = engine.write([['a', value(1)]], { sync: true }).then(() => order.push('write'));
    const closing = engine.close().then(() => order.push('close'));
    await done(Promise.all([writing, closing, engine.close()]));
    expect(order).toEqual(['write', 'close']);
    await expect(done(engine.getMany(['a']))).rejects.toMatchObject({ code: 'CLOSED' });
    engine = await done(openEngine('data/state'));
    expect(await done(engine.getMany(['a']))).toEqual([value(1)]);
  });

  test('writes that overlap -> assertion', () => {
    void engine.write([['a', value(1)]], { sync: false });
    expect(() => engine.write([['b', value(1)]], { sync: false })).toThrow(/overlap/);
  });
});

describe('a crash', () => {
  test('any batches -> all that were synced are left, the others to a point in each log', async () => {
    const batch = fc.record({
      keys: fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 }),
      sync: fc.boolean(),
    });
    const property = fc.asyncProperty(
      fc.nat(),
      fc.array(batch, { maxLength: 7 }),
      async (seed, batches) => {
        await start(seed);
        // Which logs there are does not show outside: any others may be gone.
        let possible = new Set(['']);
        for (const [at, { keys, sync }] of batches.entries()) {
          const changes = keys.map((key) => [key, at % 3 === 2 ? undefined : value(at)] as const);
          await done(engine.write(changes, { sync }));
          const after = [...possible].map((state) => written(state, changes));
          possible = new Set(sync ? after : [...possible, ...after]);
        }
        machine.crash();
        expect(possible).toContain(contents());
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  test('unsynced batches -> over seeds all that logs allow is seen; a process crash keeps all', async () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 60; seed += 1) {
      await start(seed);
      await put('a', 1, true);
      await put('b', 2);
      await put('c', 3);
      machine.crash(seed > 20 ? 'power' : 'process');
      if (seed <= 20) expect(contents()).toBe('a1 b2 c3');
      else seen.add(contents());
    }
    expect(seen).toEqual(new Set(['a1', 'a1 b2', 'a1 c3', 'a1 b2 c3']));
  });

  test('a dropped batch -> a hole: later batches stay; only while closed, only where there is one', async () => {
    for (const [at, key] of ['a', 'b', 'c'].entries()) await put(key, at, true);
    const drop = (back: number): void => machine.engineDisk.dropBatch('data/state', back);
    expect(() => drop(1)).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }));
    machine.crash();
    expect(() => drop(3)).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }));
    drop(1);
    expect(contents()).toBe('a0 c2');
    engine = await open();
    await put('d', 3, true);
    machine.crash();
    expect(contents()).toBe('a0 c2 d3');
  });

  test('more synced batches than the log holds -> all are kept', async () => {
    for (let n = 0; n < 150; n += 1) await put(String.fromCharCode(256 + n), n, n % 2 === 1);
    machine.crash();
    expect(machine.engineDisk.view('data/state').size).toBe(150);
  });
});

describe('a power loss', () => {
  /** What is in `data/state`, over many seeds, after `work` and a power loss. */
  async function outcomes(work: (env: ReturnType<SimMachine['boot']>) => Promise<void>) {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 60; seed += 1) {
      sim = new Simulator({ seed, traceLines: 0 });
      machine = sim.machine('n1');
      const env = machine.boot();
      await sim.complete(work(env), 1_000);
      machine.crash('power');
      const names = await done(machine.boot().fs.list('data'));
      seen.add(`${names.includes('state') ? 'folder' : 'no folder'}: ${contents()}`);
    }
    return [...seen].sort();
  }

  async function make({ fs, openEngine }: ReturnType<SimMachine['boot']>, key: string) {
    await fs.makeDirectory('data/state');
    const made = await openEngine('data/state');
    await made.write([[key, value(1)]], { sync: true });
    await made.close();
  }

  test('before the removal of its folder is synced -> all of the engine is back, or none', async () => {
    const seen = await outcomes(async (env) => {
      await make(env, 'a');
      await env.fs.syncDirectory('data');
      await env.fs.remove('data/state');
    });
    expect(seen).toEqual(['folder: a1', 'no folder: ']);
  });

  test('before that of one that is open is synced -> the same', async () => {
    const seen = await outcomes(async (env) => {
      await make(env, 'a');
      await env.fs.syncDirectory('data');
      await env.openEngine('data/state');
      await env.fs.remove('data/state');
    });
    expect(seen).toContain('folder: a1');
  });

  test('after that is synced -> none', async () => {
    const seen = await outcomes(async (env) => {
      await make(env, 'a');
      await env.fs.syncDirectory('data');
      await env.fs.remove('data/state');
      await env.fs.syncDirectory('data');
    });
    expect(seen).toEqual(['no folder: ']);
  });

  test('with another engine in its place -> the old one, the new one, or none', async () => {
    const seen = await outcomes(async (env) => {
      await make(env, 'a');
      await env.fs.syncDirectory('data');
      await env.fs.remove('data/state');
      await make(env, 'b');
    });
    expect(seen).toEqual(['folder: a1', 'folder: b1', 'no folder: ']);
  });

  test('before the name of its folder is synced -> the engine is there with it, or gone', async () => {
    const seen = await outcomes((env) => make(env, 'a'));
    expect(seen).toEqual(['folder: a1', 'no folder: ']);
  });
});
