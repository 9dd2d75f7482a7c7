/** The core's public face: what a Ready holds and when, restart, misuse (semantics §15-§18). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Prng, randomInt } from '../../src/base/prng.js';
import { type Entry, type Message, RawNode } from '../../src/raft/index.js';
import { encodedBytes } from '../../src/raft/log.js';
import { freeze } from './cluster.js';
import { LoneNode } from './lone-node.js';
import { entriesOf, entryOf, MemberStore } from './member-store.js';

const ofCode = (code: string) => expect.objectContaining({ code });

/** An append of entries with these terms after `previous`, to member 1. */
function appendOf(fields: {
  readonly from?: number;
  readonly term: number;
  readonly previous: readonly [term: number, index: number];
  readonly terms: readonly number[];
  readonly commit?: number;
}): Message {
  const [term, index] = fields.previous;
  return {
    kind: 'append-request',
    from: fields.from ?? 2,
    to: 1,
    term: fields.term,
    previous: { term, index },
    entries: entriesOf(fields.terms, index + 1),
    commit: fields.commit ?? 0,
  };
}

describe('ready', () => {
  test('W-6 a fresh or restarted member -> nothing to say', () => {
    expect(new LoneNode().node.hasReady()).toBe(false);
    const lone = new LoneNode({ terms: [1, 2], hardState: { term: 3, vote: 2, commit: 0 } });
    expect(lone.node.hasReady()).toBe(false);
    expect(lone.ready()).toEqual({ reads: [], messages: [], fetch: [] });
  });

  test('W-12 taken -> not offered again', () => {
    const lone = new LoneNode();
    lone.node.campaign();
    expect(lone.node.hasReady()).toBe(true);
    lone.ready();
    expect(lone.node.hasReady()).toBe(false);
    expect(lone.ready()).toEqual({ reads: [], messages: [], fetch: [] });
  });

  test('soft state -> only when leader or role changed', () => {
    const lone = new LoneNode();
    lone.step({
      kind: 'heartbeat-request',
      from: 2,
      to: 1,
      term: 1,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    expect(lone.ready().softState).toEqual({ role: 'follower', leader: 2 });
    lone.step({
      kind: 'heartbeat-request',
      from: 2,
      to: 1,
      term: 1,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    expect(lone.ready().softState).toBeUndefined();
    lone.node.campaign();
    expect(lone.ready().softState).toEqual({ role: 'candidate', leader: 0 });
  });

  test('H7 mustSync -> for entries, term and vote; not for a commit index alone', () => {
    const lone = new LoneNode({ hardState: { term: 1, vote: 0, commit: 0 } });
    const synced = (message: Message) => {
      lone.step(message);
      const { append } = lone.ready();
      lone.completeAppend();
      return [append?.hardState, append?.mustSync];
    };
    const envelope = { from: 2, to: 1 };
    expect(synced(appendOf({ term: 1, previous: [0, 0], terms: [1] }))).toEqual([undefined, true]);
    expect(
      synced({ kind: 'heartbeat-request', ...envelope, term: 1, commit: 1, reads: 0, sentAt: 0 }),
    ).toEqual([{ term: 1, vote: 0, commit: 1 }, false]);
    expect(
      synced({ kind: 'heartbeat-request', ...envelope, term: 2, commit: 1, reads: 0, sentAt: 0 }),
    ).toEqual([{ term: 2, vote: 0, commit: 1 }, true]);
    const last = { term: 9, index: 9 };
    expect(synced({ kind: 'vote-request', from: 3, to: 1, term: 3, last })).toEqual([
      { term: 3, vote: 3, commit: 1 },
      true,
    ]);
  });

  test('an acknowledgement without anything to write -> still waits its turn behind open writes', () => {
    const lone = new LoneNode({ hardState: { term: 1, vote: 0, commit: 0 } });
    lone.step(appendOf({ term: 1, previous: [0, 0], terms: [1, 1] }));
    lone.ready();
    lone.step(appendOf({ term: 1, previous: [0, 0], terms: [1, 1] }));
    const again = lone.ready();
    expect(again.append).toMatchObject({ entries: [], mustSync: false });
    expect(again.append?.hardState).toBeUndefined();
    expect(again.messages).toEqual([]);
    expect(lone.completeAppend()).toMatchObject([{ kind: 'append-response', index: 2 }]);
    expect(lone.completeAppend()).toMatchObject([{ kind: 'append-response', index: 2 }]);
  });

  test('responses -> pledges first, then the attestation of the whole tail', () => {
    const lone = new LoneNode({ hardState: { term: 1, vote: 0, commit: 0 } });
    lone.step(appendOf({ term: 1, previous: [0, 0], terms: [1, 1] }));
    expect(lone.ready().append?.responses).toEqual([
      { kind: 'append-response', from: 1, to: 2, term: 1, index: 2 },
      { kind: 'storage-append-response', from: 1, to: 1, term: 1, last: { term: 1, index: 2 } },
    ]);
  });

  test('S13 values handed out -> are not changed by later steps', () => {
    const lone = new LoneNode({ hardState: { term: 1, vote: 0, commit: 0 } });
    lone.step(appendOf({ term: 1, previous: [0, 0], terms: [1, 1, 1] }));
    const ready = lone.ready();
    const copy = structuredClone(ready);
    lone.step(appendOf({ from: 3, term: 2, previous: [1, 1], terms: [2] }));
    lone.ready();
    lone.flush();
    expect(ready).toEqual(copy);
  });

  test('S13 values handed in -> are not changed, and the bytes are not copied', () => {
    const lone = new LoneNode({ hardState: { term: 1, vote: 0, commit: 0 } });
    const message = appendOf({ term: 1, previous: [0, 0], terms: [1, 1] });
    const copy = structuredClone(message);
    lone.step(message);
    const { append } = lone.ready();
    lone.step(appendOf({ from: 3, term: 2, previous: [0, 0], terms: [2, 2] }));
    lone.flush();
    expect(message).toEqual(copy);
    const { entries } = message as { entries: readonly Entry[] };
    expect(append?.entries[0]?.data).toBe(entries[0]?.data);
  });
});

describe('apply', () => {
  test('N-7 N-8 a budget -> no more handed out until what is out was applied', () => {
    const size = encodedBytes(entryOf(1, 1));
    const lone = new LoneNode({
      terms: [1, 1, 1, 1, 1],
      hardState: { term: 1, vote: 0, commit: 5 },
      applyBytesMax: 2 * size,
    });
    const first = lone.ready().apply;
    expect(first?.entries.map(({ index }) => index)).toEqual([1, 2]);
    expect(lone.node.hasReady()).toBe(false);
    lone.completeApply(first);
    const second = lone.ready().apply;
    expect(second?.entries.map(({ index }) => index)).toEqual([3, 4]);
    lone.completeApply(second);
    lone.flush();
    expect(lone.applied.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5]);
    expect(lone.node.status().applied).toBe(5);
  });

  test('H5 W-10 a reader that gives too much -> no gap, no repeat, commit never falls', () => {
    const lone = new LoneNode({
      terms: Array.from({ length: 10 }, () => 1),
      hardState: { term: 1, vote: 0, commit: 10 },
      applyBytesMax: 60,
    });
    lone.store.overshoot = 1;
    lone.step(appendOf({ term: 1, previous: [1, 10], terms: [1], commit: 11 }));
    lone.flush();
    expect(lone.applied.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(lone.store.durable.hardState.commit).toBe(11);
  });
});

describe('restart', () => {
  test('W-7 commit stored, nothing applied -> the committed entries alone', () => {
    const lone = new LoneNode({ terms: [1, 1], hardState: { term: 1, vote: 0, commit: 1 } });
    const ready = lone.ready();
    expect(ready.append).toBeUndefined();
    expect(ready.softState).toBeUndefined();
    expect(ready.apply?.entries.map(({ index }) => index)).toEqual([1]);
  });

  test('W-8 applied given -> only what lies above it', () => {
    const hardState = { term: 1, vote: 0, commit: 3 };
    const lone = new LoneNode({ terms: [1, 1, 1], hardState, applied: 2 });
    expect(lone.ready().apply?.entries.map(({ index }) => index)).toEqual([3]);
    const done = new LoneNode({ terms: [1, 1, 1], hardState, applied: 3 });
    expect(done.node.hasReady()).toBe(false);
  });

  test('S15 vote stored -> kept; nobody else gets it in that term', () => {
    const lone = new LoneNode({ hardState: { term: 4, vote: 3, commit: 0 } });
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 4, vote: 3, leader: 0 });
    const last = { term: 9, index: 9 };
    lone.step({ kind: 'vote-request', from: 2, to: 1, term: 4, last });
    expect(lone.flush()).toMatchObject([{ kind: 'vote-response', to: 2, granted: false }]);
    lone.step({ kind: 'vote-request', from: 3, to: 1, term: 4, last });
    expect(lone.flush()).toMatchObject([{ kind: 'vote-response', to: 3, granted: true }]);
  });

  test('O1 A-7 a candidate crashes before its term is durable -> nobody was asked', () => {
    const lone = new LoneNode({ terms: [1] });
    lone.node.campaign();
    expect(lone.ready().messages).toEqual([]);
    lone.store.crash(0);
    expect(lone.store.durable.hardState).toMatchObject({ term: 1, vote: 0 });
  });

  test('commit or applied beyond the stored log -> STATE_CORRUPT', () => {
    const build = (commit: number, applied: number) => () =>
      new LoneNode({ terms: [1, 1], hardState: { term: 1, vote: 0, commit }, applied });
    const lost = expect.objectContaining({ code: 'STATE_CORRUPT' });
    expect(build(3, 0)).toThrow(lost);
    expect(build(1, 3)).toThrow(lost);
    expect(build(2, 2)).not.toThrow();
  });

  test('applied beyond the stored commit index -> it was committed', () => {
    const hardState = { term: 1, vote: 0, commit: 1 };
    const lone = new LoneNode({ terms: [1, 1], hardState, applied: 2 });
    expect(lone.node.status()).toMatchObject({ commit: 2, applied: 2 });
  });
});

describe('step: refused', () => {
  const envelope = { from: 9, to: 1 };
  const answers: readonly Message[] = [1, 50].flatMap((term) => [
    { kind: 'append-response', ...envelope, term, index: 1 },
    { kind: 'heartbeat-response', ...envelope, term, reads: 0, sentAt: 0 },
    { kind: 'vote-response', ...envelope, term, granted: true },
    { kind: 'pre-vote-response', ...envelope, term, granted: false },
  ]);

  test.each(answers)(
    'S20 W-1 $kind of no member, in term $term -> MEMBER_UNKNOWN, nothing changed',
    (message) => {
      const lone = new LoneNode();
      lone.lead();
      const before = lone.node.status();
      expect(() => lone.step(message)).toThrow(ofCode('MEMBER_UNKNOWN'));
      expect(lone.node.status()).toEqual(before);
      expect(lone.node.hasReady()).toBe(false);
    },
  );

  test.each(['vote-response', 'pre-vote-response'] as const)(
    '%s of no member -> MEMBER_UNKNOWN, not counted',
    (kind) => {
      const lone = new LoneNode({ preVote: kind === 'pre-vote-response' });
      lone.node.campaign();
      lone.flush();
      const message = { kind, ...envelope, term: 1, granted: true } as const;
      expect(() => lone.step(message)).toThrow(ofCode('MEMBER_UNKNOWN'));
      expect(lone.node.status().role).not.toBe('leader');
    },
  );

  test.each([
    { kind: 'vote-request', last: { term: 9, index: 9 } },
    { kind: 'append-request', previous: { term: 0, index: 0 }, entries: [], commit: 0 },
  ] as const)('S11 $kind of no member -> taken: it may know a newer configuration', (message) => {
    const lone = new LoneNode();
    lone.step({ ...message, ...envelope, term: 1 });
    expect(lone.node.status().term).toBe(1);
    expect(lone.flush()).toMatchObject([{ to: 9, term: 1 }]);
  });

  test('for somebody else -> ARGUMENT_INVALID', () => {
    const lone = new LoneNode();
    const message = {
      kind: 'heartbeat-request',
      from: 2,
      to: 3,
      term: 5,
      commit: 0,
      reads: 0,
      sentAt: 0,
    } as const;
    expect(() => lone.step(message)).toThrow(ofCode('ARGUMENT_INVALID'));
    expect(lone.node.status().term).toBe(0);
  });

  test.each([
    { kind: 'storage-append-response', from: 2, to: 1, term: 0, last: { term: 0, index: 0 } },
    {
      kind: 'storage-apply-response',
      from: 2,
      to: 1,
      term: 0,
      index: 0,
      payloadBytes: 0,
      encodedBytes: 0,
    },
  ] as const)('W-1 $kind of a peer -> ARGUMENT_INVALID', (message) => {
    expect(() => new LoneNode().step(message)).toThrow(ofCode('ARGUMENT_INVALID'));
  });
});

describe('the ABA rule (semantics §16)', () => {
  /** (2, term 1) is being written, then replaced by term 2, then the same (2, term 1) comes again. */
  function aba(): LoneNode {
    const lone = new LoneNode({ terms: [1], voters: [1, 2, 3, 4, 5] });
    lone.step(appendOf({ from: 2, term: 1, previous: [1, 1], terms: [1] }));
    lone.ready();
    lone.step(appendOf({ from: 3, term: 2, previous: [1, 1], terms: [2] }));
    lone.ready();
    lone.step(appendOf({ from: 4, term: 3, previous: [1, 1], terms: [1, 3] }));
    lone.ready();
    return lone;
  }

  test('A-16 the first write finishes -> proves nothing, the entries stay in memory', () => {
    const lone = aba();
    // Committed by the leader of term 3, and the disk is about to hold term 2 at index 2.
    lone.step({
      kind: 'heartbeat-request',
      from: 4,
      to: 1,
      term: 3,
      commit: 3,
      reads: 0,
      sentAt: 0,
    });
    expect(lone.ready().apply?.entries.map(({ index }) => index)).toEqual([1]);
    lone.completeAppend();
    expect(lone.store.durable.term(2)).toBe(1);
    expect(lone.ready().apply).toBeUndefined();
    lone.completeAppend();
    expect(lone.store.durable.term(2)).toBe(2);
    expect(lone.ready().apply).toBeUndefined();
    lone.completeAppend();
    expect(lone.ready().apply?.entries.map(({ term }) => term)).toEqual([1, 3]);
  });

  test('H29 the answer of an earlier term is lost for good -> a later write attests again', () => {
    const lone = new LoneNode({ terms: [1] });
    lone.step(appendOf({ from: 2, term: 1, previous: [1, 1], terms: [1] }));
    lone.ready();
    lone.step({
      kind: 'heartbeat-request',
      from: 3,
      to: 1,
      term: 2,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    const raised = lone.ready();
    expect(raised.append?.entries).toEqual([]);
    expect(raised.append?.responses).toContainEqual(
      expect.objectContaining({
        kind: 'storage-append-response',
        term: 2,
        last: { term: 1, index: 2 },
      }),
    );
    lone.step({
      kind: 'heartbeat-request',
      from: 3,
      to: 1,
      term: 2,
      commit: 2,
      reads: 0,
      sentAt: 0,
    });
    lone.completeAppend();
    expect(lone.ready().apply?.entries.map(({ index }) => index)).toEqual([1]);
    lone.completeAppend();
    expect(lone.ready().apply?.entries.map(({ index }) => index)).toEqual([2]);
  });

  /**
   * One follower, many leaders, a disk that falls behind. Each leader's log continues a prefix of an
   * earlier one, so entries come, go and come back. `MemberStore` refuses reads of what a write under
   * way will still replace, which is what dropping an entry from memory too early leads to.
   */
  test('A-16 any leaders, any slowness -> reads only what stays; in the end all is durable', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = new Prng(seed);
        const lone = new LoneNode();
        const logs: (readonly number[])[] = [[]];
        for (let term = 1; term <= 8; term += 1) {
          const base = logs[randomInt(random, logs.length)]!;
          const kept = base.slice(0, randomInt(random, base.length + 1));
          const fresh = Array.from({ length: 1 + randomInt(random, 3) }, () => term);
          const log = [...kept, ...fresh];
          logs.push(log);
          for (let count = 1 + randomInt(random, 3); count > 0; count -= 1) {
            const from = randomInt(random, log.length);
            const to = from + randomInt(random, log.length - from + 1);
            const previous = [log[from - 1] ?? 0, from] as const;
            lone.step(appendOf({ term, previous, terms: log.slice(from, to) }));
            if (randomInt(random, 3) > 0) lone.ready();
            if (randomInt(random, 2) === 0) lone.completeAppend();
          }
        }
        lone.flush();
        const { lastIndex } = lone.node.status();
        const term = 9;
        const previous = [lone.terms[lastIndex - 1] ?? 0, lastIndex] as const;
        lone.step(appendOf({ term, previous, terms: [], commit: lastIndex }));
        lone.flush();
        expect(lone.applied).toHaveLength(lastIndex);
        expect(lone.store.durable.entries).toEqual(lone.applied);
      }),
      { numRuns: 400 },
    );
  });
});

describe('determinism', () => {
  test('A-24 the same inputs and seed -> the same Readys', () => {
    const run = () => {
      const store = MemberStore.of([1, 2, 3], { terms: [1, 1] });
      const node = new RawNode({ id: 1, reader: store, random: new Prng(42) });
      const readys: unknown[] = [];
      for (let step = 0; step < 200; step += 1) {
        node.tick();
        if (!node.hasReady()) continue;
        const ready = node.ready();
        if (ready.append !== undefined) store.accept(ready.append);
        for (const message of store.complete()?.responses ?? []) {
          if (message.to === 1) node.step(freeze(message));
        }
        readys.push([step, ready]);
      }
      return readys;
    };
    const first = run();
    expect(first.length).toBeGreaterThan(5);
    expect(run()).toEqual(first);
  });

  test('status -> a copy that later steps do not change', () => {
    const lone = new LoneNode();
    lone.lead();
    const status = lone.node.status();
    const copy = structuredClone(status);
    lone.propose('a');
    lone.acknowledge(2, 2);
    expect(status).toEqual(copy);
    expect(status.progress.map(({ id }) => id)).toEqual([1, 2, 3]);
    lone.step({
      kind: 'heartbeat-request',
      from: 2,
      to: 1,
      term: 2,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    expect(lone.node.status().progress).toEqual([]);
  });
});
