// What is given up by itself, and when: by time, by revisions, by whoever leads.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { limits } from '../../src/base/limits.js';
import { decodeCommand } from '../../src/codec/command-codec.js';
import type { HistoryKeep } from '../../src/store/history-keep.js';
import { HistoryKeeper } from '../../src/store/history-keeper.js';
import { VirtualTime } from '../node/virtual-time.js';
import { VirtualStores } from './virtual-store.js';

const minute = 60_000;
const hour = 60 * minute;

/** A keeper of a keyspace that gets a revision whenever the test says so. */
class Rig {
  readonly time = new VirtualTime();
  readonly compactions: { readonly atMs: number; readonly revision: number }[] = [];
  leadTerm = 0;
  revision = 1;
  compactRevision = 0;
  failure: Error | undefined;
  readonly keeper: HistoryKeeper;

  /** @param earlyMs - by how much timers come before their time */
  constructor(keep: HistoryKeep, earlyMs = 0) {
    const propose = async (encode: (id: never) => Uint8Array, { ownTerm = 0 }) => {
      expect(ownTerm).toBe(this.leadTerm);
      const { command } = decodeCommand(encode({ session: 1, seq: 1, doneBelow: 1 } as never));
      if (command.op !== 'compact') throw new Error(`expected compact, got ${command.op}`);
      if (this.failure !== undefined) throw this.failure;
      const { revision } = command;
      expect(revision).toBeGreaterThan(this.compactRevision);
      expect(revision).toBeLessThanOrEqual(this.revision);
      this.compactRevision = revision;
      this.compactions.push({ atMs: this.time.monotonicMs(), revision });
    };
    const { time } = this;
    const rig = this;
    const node = {
      get leadTerm() {
        return rig.leadTerm;
      },
      propose,
    };
    const keyspace = () => this;
    const timers = {
      after: (ms: number, callback: () => void) => time.after(ms - earlyMs, callback),
      soon: (callback: () => void) => time.soon(callback),
    };
    this.keeper = new HistoryKeeper({ keep, node, keyspace, clock: time, timers });
  }

  lead(term: number): void {
    this.leadTerm = term;
    this.keeper.check();
  }

  /** One revision a minute. */
  async minutes(count: number): Promise<void> {
    for (let nth = 0; nth < count; nth += 1) {
      await this.time.run(minute);
      this.revision += 1;
    }
  }
}

describe('by time', () => {
  test('an hour -> nothing for an hour, then every hour what was replaced an hour before', async () => {
    const rig = new Rig({ ms: hour });
    rig.lead(1);
    await rig.minutes(59);
    expect(rig.compactions).toEqual([]);
    await rig.minutes(123);
    expect(rig.compactions.map(({ atMs, revision }) => [atMs / minute, revision])).toEqual([
      [60, 1],
      [120, 60],
      [180, 120],
    ]);
  });

  test('another leader -> its notes begin afresh; who leads no more proposes nothing', async () => {
    const rig = new Rig({ ms: hour });
    rig.lead(1);
    await rig.minutes(59);
    rig.lead(0);
    await rig.minutes(30);
    rig.lead(2);
    await rig.minutes(59);
    expect(rig.compactions).toEqual([]);
    await rig.minutes(2);
    expect(rig.compactions.map(({ revision }) => revision)).toEqual([90]);
    // It was deposed, and nobody has told the keeper yet.
    rig.leadTerm = 0;
    await rig.minutes(100);
    expect(rig.compactions).toHaveLength(1);
  });

  test('refused -> again at the next look, with what may go by then', async () => {
    const rig = new Rig({ ms: 10 * minute });
    rig.failure = kontikiError('OVERLOADED', 'test');
    rig.lead(1);
    await rig.minutes(14);
    rig.failure = undefined;
    await rig.minutes(1);
    expect(rig.compactions.map(({ atMs, revision }) => [atMs / minute, revision])).toEqual([
      [15, 5],
    ]);
  });

  test('somebody compacted further -> done, until there is more to give up', async () => {
    const rig = new Rig({ ms: 10 * minute });
    rig.lead(1);
    await rig.minutes(5);
    rig.compactRevision = rig.revision;
    await rig.minutes(60);
    expect(rig.compactions[0]?.revision).toBeGreaterThan(6);
    for (const { atMs, revision } of rig.compactions) {
      expect(revision).toBeLessThanOrEqual(atMs / minute - 10 + 1);
    }
  });

  test('an idle store -> one compaction at most', async () => {
    const rig = new Rig({ ms: minute });
    rig.revision = 7;
    rig.lead(1);
    await rig.time.run(hour);
    expect(rig.compactions).toEqual([{ atMs: minute, revision: 7 }]);
  });

  test('closed -> no timer is left', async () => {
    const rig = new Rig({ ms: minute });
    rig.lead(1);
    rig.keeper.close();
    rig.keeper.check();
    await rig.minutes(10);
    expect(rig.compactions).toEqual([]);
  });

  test('a long span -> as many notes as may be kept', async () => {
    const ms = limits.historyNotesMax * 2 * hour;
    const rig = new Rig({ ms });
    rig.lead(1);
    let looks = 0;
    const look = () => {
      looks += 1;
      return looks;
    };
    Object.defineProperty(rig, 'revision', { get: look });
    await rig.time.run(ms);
    expect(looks).toBeLessThanOrEqual(limits.historyNotesMax + 2);
    expect(looks).toBeGreaterThan(limits.historyNotesMax - 2);
  });

  test('any writes, any leaders: what was current in the span is never given up', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), times: fc.nat(5) }) },
      { weight: 8, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(2_000) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('lead' as const), on: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), on: fc.boolean() }) },
    );
    let given = 0;
    const keepsEnough = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const ms = 2_000;
      const rig = new Rig({ ms });
      /** When each revision was made: the twin that forgets nothing. */
      const madeMs = [0, 0];
      let term = 0;
      const lead = () => {
        term += 1;
        rig.lead(term);
      };
      lead();
      for (const each of steps) {
        if (each.do === 'pass') await rig.time.run(each.ms);
        else if (each.do === 'lead' && each.on) lead();
        else if (each.do === 'lead') rig.lead(0);
        else if (each.do === 'fail') {
          rig.failure = each.on ? kontikiError('OVERLOADED', 'test') : undefined;
        } else {
          for (let nth = 0; nth < each.times; nth += 1) {
            rig.revision += 1;
            madeMs.push(rig.time.monotonicMs());
          }
        }
      }
      given += rig.compactions.length;
      // The oldest that is kept was there before the span began: nothing of the span is gone.
      for (const { atMs, revision } of rig.compactions) {
        expect(madeMs[revision]).toBeLessThanOrEqual(atMs - ms);
      }
      rig.keeper.close();
    });
    await fc.assert(keepsEnough, { numRuns: 100 });
    expect(given).toBeGreaterThan(10);
  });
});

describe('by revisions', () => {
  test('timers that come a little early by the clock -> every five minutes all the same', async () => {
    const rig = new Rig({ revisions: 10 }, 0.5);
    rig.revision = 100;
    rig.lead(1);
    await rig.minutes(31);
    rig.keeper.close();
    const atMinutes = rig.compactions.map(({ atMs }) => Math.round(atMs / minute));
    expect(atMinutes).toEqual([5, 10, 15, 20, 25, 30]);
  });

  test('every five minutes all but the newest', async () => {
    const rig = new Rig({ revisions: 3 });
    rig.lead(1);
    await rig.minutes(16);
    expect(rig.compactions.map(({ atMs, revision }) => [atMs / minute, revision])).toEqual([
      [5, 2],
      [10, 7],
      [15, 12],
    ]);
  });
});

describe('all', () => {
  test('nothing is proposed', async () => {
    const rig = new Rig('all');
    rig.lead(1);
    await rig.minutes(200);
    expect(rig.compactions).toEqual([]);
  });
});

test('three stores: one compaction each time, told on all, a watch from below -> COMPACTED', async () => {
  const stores = await VirtualStores.opened(3, { history: { ms: 10_000 } });
  const told: number[][] = stores.ids.map(() => []);
  stores.ids.forEach((id, at) => {
    stores.store(id).on('compacted', ({ compactRevision }) => told[at]?.push(compactRevision));
  });
  const store = stores.store(1);
  for (let nth = 0; nth < 40; nth += 1) {
    await stores.settle(store.put('a', `${nth}`));
    await stores.time.run(1_000);
  }
  expect(told[0]?.length).toBeGreaterThanOrEqual(2);
  expect(told[0]?.length).toBeLessThanOrEqual(4);
  expect(told[1]).toEqual(told[0]);
  expect(told[2]).toEqual(told[0]);
  for (const id of stores.ids) {
    const { compactRevision, compactions } = stores.store(id).metrics();
    expect(compactRevision).toBe(told[0]?.at(-1));
    expect(compactions).toBe(told[0]?.length);
  }
  const late = store.watch('a', { fromRevision: 2 });
  await expect(stores.settle(late[Symbol.asyncIterator]().next())).rejects.toMatchObject({
    code: 'COMPACTED',
    compactRevision: told[0]?.at(-1),
  });
  expect((await stores.settle(store.get('a')))?.text()).toBe('39');
  await stores.close();
});
