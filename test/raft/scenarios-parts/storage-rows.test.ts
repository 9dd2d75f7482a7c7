/** Writes under way, and what is sent meanwhile: rows and O12. */
import { describe, expect, test } from 'vitest';
import { Prng, randomInt } from '../../../src/base/prng.js';
import { encodedBytes } from '../../../src/raft/log.js';
import { Disk, entriesOf, snapshotAt } from './disk.js';
import { Net } from './net.js';
import { appends, only, Solo, texts } from './solo.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const configuration = { voters: [1, 2, 3] };

/** Terms of the log as the core reads it. */
function read(solo: Solo): (number | undefined)[] {
  const { log } = solo.core;
  return Array.from({ length: log.lastIndex }, (_, at) => log.term(at + 1));
}

describe('an entry that is written, replaced and written again', () => {
  const start = { index: 0, term: 0 };
  const send = (solo: Solo, term: number, terms: readonly number[], previous = start) => {
    const entries = entriesOf(terms, previous.index + 1);
    const from = 2 + (term % 2);
    solo.step({ kind: 'append-request', from, term, previous, entries, commit: 0 });
    solo.ready();
  };

  test('A-16: answers in order -> kept in memory until the last of the writes is durable', () => {
    const solo = new Solo();
    send(solo, 1, [1]);
    send(solo, 2, [2]);
    send(solo, 3, [1]);
    const states: unknown[] = [];
    for (let write = 1; write <= 3; write += 1) {
      solo.completeAppend();
      states.push([solo.core.log.hasUnstable, read(solo), solo.disk.durable.term(1)]);
    }
    expect(states).toEqual([
      [true, [1], 1],
      [true, [1], 2],
      [false, [1], 1],
    ]);
  });

  test('A-16: a term change alone -> its write attests the tail again', () => {
    const solo = new Solo();
    send(solo, 1, [1]);
    solo.step({ kind: 'heartbeat-request', from: 3, term: 2, commit: 0, reads: 0, sentAt: 0 });
    solo.ready();
    solo.completeAppend();
    expect(solo.core.log.hasUnstable).toBe(true);
    solo.completeAppend();
    expect(solo.core.log.hasUnstable).toBe(false);
  });

  test('A-16: any leaders, any order of inputs and answers -> reads as a plain list does', () => {
    let replaced = 0;
    for (let seed = 1; seed <= 300 * depth; seed += 1) {
      const random = new Prng(seed);
      const int = (bound: number) => randomInt(random, bound);
      const solo = new Solo();
      let plain: number[] = [];
      let term = 1;
      for (let step = 0; step < 40; step += 1) {
        if (int(2) === 0) {
          if (solo.disk.pending.length > 0) solo.completeAppend();
        } else {
          // A new leader may know any of the terms so far; the same one only goes on.
          const isNew = int(3) === 0;
          if (isNew) term += 1;
          const index = isNew ? int(plain.length + 1) : plain.length;
          const before = plain[index - 1] ?? 0;
          const terms: number[] = [];
          for (let count = int(4), low = Math.max(1, before); count > 0; count -= 1) {
            low = isNew ? low + int(term - low + 1) : term;
            terms.push(low);
          }
          send(solo, term, terms, { index, term: before });
          const at = terms.findIndex((each, nth) => plain[index + nth] !== each);
          if (at >= 0 && index + at < plain.length) replaced += 1;
          if (at >= 0) plain = [...plain.slice(0, index + at), ...terms.slice(at)];
        }
        expect(read(solo), `seed ${seed}`).toEqual(plain);
      }
      solo.persist();
      expect(solo.disk.durable.entries.map((each) => each.term)).toEqual(plain);
      expect(solo.core.log.hasUnstable, `seed ${seed}`).toBe(false);
    }
    expect(replaced).toBeGreaterThan(100);
  });
});

describe('what is handed out', () => {
  test('A-17: committed, written, not durable -> applied only once it is', () => {
    const solo = new Solo();
    const previous = { index: 0, term: 0 };
    const entries = entriesOf([1, 1]);
    solo.step({ kind: 'append-request', from: 2, term: 1, previous, entries, commit: 2 });
    const first = solo.ready();
    expect(first.append?.hardState?.commit).toBe(2);
    expect(first.apply).toBeUndefined();
    expect(solo.node.hasReady()).toBe(false);
    solo.completeAppend();
    expect(solo.ready().apply?.entries.map(({ index }) => index)).toEqual([1, 2]);
  });

  test('A-17: the same in synchronous mode -> both in one, since the write comes first', () => {
    const solo = new Solo({ asyncStorageWrites: false });
    const previous = { index: 0, term: 0 };
    const entries = entriesOf([1, 1]);
    solo.step({ kind: 'append-request', from: 2, term: 1, previous, entries, commit: 2 });
    const { append, apply } = solo.ready();
    expect(append?.entries).toEqual(entries);
    expect(apply?.entries).toEqual(entries);
  });

  test.each([false, true])(
    'A-18: a snapshot and an append at once, asynchronously: %s -> one write',
    (asyncStorageWrites) => {
      const solo = new Solo({ terms: [1, 1], asyncStorageWrites });
      solo.step({
        kind: 'snapshot-request',
        from: 2,
        term: 3,
        snapshot: snapshotAt(5, 2, configuration),
      });
      const previous = { index: 5, term: 2 };
      const entries = entriesOf([2, 3], 6);
      solo.step({ kind: 'append-request', from: 2, term: 3, previous, entries, commit: 7 });
      const ready = solo.ready();
      expect(ready.append).toMatchObject({ snapshot: { last: { index: 5 } }, mustSync: true });
      expect(ready.append?.entries.map(({ index }) => index)).toEqual([6, 7]);
      // Nothing is applied before the state it builds on is there.
      expect(ready.apply).toBeUndefined();
      const answers = only(solo.persist(), 'append-response');
      expect(answers.map(({ index }) => index)).toEqual([5, 7]);
      if (!asyncStorageWrites) solo.node.advance();
      expect([solo.disk.firstIndex(), solo.disk.lastIndex()]).toEqual([6, 7]);
      expect(solo.core.log.pendingSnapshot).toBeUndefined();
      expect(solo.ready().apply?.entries.map(({ index }) => index)).toEqual([6, 7]);
    },
  );
});

describe('what is sent', () => {
  test('A-14: nothing to send to a probed member but the commit index -> it is not paused', () => {
    const solo = new Solo();
    solo.lead();
    for (const id of [2, 3]) solo.acknowledge(id);
    solo.node.reportUnreachable(3);
    expect(solo.progress(3).state).toBe('probe');
    for (let round = 0; round < 2; round += 1) {
      expect(appends(solo.heard(3))).toEqual(['3: 1+0']);
      expect(solo.progress(3).paused).toBe(false);
    }
    solo.propose('x');
    expect(appends(solo.flush())).toContain('3: 1+1');
  });

  test('A-23, O16: no bytes per append message -> one entry each, and all applied', () => {
    for (const asyncStorageWrites of [false, true]) {
      const net = new Net([1, 2, 3], () => ({ appendBytesMax: 0, asyncStorageWrites }));
      net.elect(1);
      const commands = Array.from({ length: 7 }, (_, nth) => `c${nth}`);
      net.propose(1, ...commands);
      const counts = only(net.sent, 'append-request').map(({ entries }) => entries.length);
      expect(Math.max(...counts)).toBe(1);
      for (const id of [1, 2, 3]) expect(texts(net.at(id).applied)).toEqual(commands);
    }
  });

  test('A-23, O16: the apply budget has a default of its own -> several entries at a time', () => {
    const solo = new Solo({ voters: [1], appendBytesMax: 0 });
    solo.lead();
    solo.propose('a', 'b', 'c');
    solo.turn();
    const { apply } = solo.ready();
    expect(apply?.entries).toHaveLength(3);
    expect(encodedBytes(apply!.entries[0]!)).toBeGreaterThan(0);
  });

  test('O12: a rejection that matches, while a snapshot is on its way -> nothing changes', () => {
    const disk = new Disk({ base: { index: 11, term: 11 }, configuration });
    const latestSnapshot = () => snapshotAt(11, 11, configuration);
    const solo = new Solo({ disk, latestSnapshot });
    solo.lead();
    const progress = solo.progress(2);
    progress.recentActive = true;
    const reject = (index: number) =>
      solo.step({ kind: 'append-response', from: 2, index, hint: { index: 3, term: 3 } });
    reject(progress.next - 1);
    solo.flush();
    const before = solo.progressStatus(2);
    expect(before).toMatchObject({ state: 'snapshot', pendingSnapshot: 11, next: 12 });
    reject(11);
    expect(solo.progressStatus(2)).toEqual({ ...before, answers: before.answers + 1 });
    expect(solo.flush()).toEqual([]);
  });
});
