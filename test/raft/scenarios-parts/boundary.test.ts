/** What peers and callers hand in: rows A-10 and A-22 (O10, S13). */
import { describe, expect, test } from 'vitest';
import { encodeConfChange, type Message, type PeerMessage } from '../../../src/raft/index.js';
import { bytes, entryOf, snapshotAt } from './disk.js';
import { type Loose, only, Solo } from './solo.js';

const from = 2;
const previous = { index: 2, term: 1 };
const append = { kind: 'append-request', from, previous, commit: 0 } as const;
const beat = { kind: 'heartbeat-request', from, commit: 0, reads: 0, sentAt: 0 } as const;
const proposals = [{ type: 'normal', data: bytes('x') }] as const;
const snapshot = snapshotAt(9, 2, { voters: [1, 2, 3] });

const malformed: Readonly<Record<string, Loose<PeerMessage>>> = {
  'an append with a gap at its start': { ...append, entries: [entryOf(2, 4)] },
  'an append with a gap': { ...append, entries: [entryOf(2, 3), entryOf(2, 5)] },
  'an append with terms that fall': { ...append, entries: [entryOf(2, 3), entryOf(1, 4)] },
  'an append with a term of 0': {
    ...append,
    previous: { index: 0, term: 0 },
    entries: [entryOf(0, 1)],
  },
  'an append with an entry of a later term': { ...append, entries: [entryOf(3, 3)], term: 2 },
  'an append with a fraction': { ...append, entries: [], commit: 1.5 },
  'an append at a negative index': { ...append, entries: [], previous: { index: -1, term: 1 } },
  'a heartbeat with a short context': { ...beat, reads: Number.NaN },
  'a heartbeat with an impossible commit index': { ...beat, commit: -1 },
  'a heartbeat of an impossible time': { ...beat, sentAt: Infinity },
  'a heartbeat without a term': { ...beat, term: 0 },
  'a heartbeat of no safe term': { ...beat, term: 2 ** 53 },
  'proposals with a term': { kind: 'propose-request', from, term: 2, proposals },
  'no proposals': { kind: 'propose-request', from, term: 0, proposals: [] },
  'a transfer to nobody possible': { kind: 'transfer-request', from, transferee: -3 },
  'a vote request without a log': {
    kind: 'vote-request',
    from,
    term: 9,
    last: { index: Number.NaN, term: 1 },
  },
  'a snapshot of a later term': { kind: 'snapshot-request', from, term: 1, snapshot },
  'a snapshot of an impossible configuration': {
    kind: 'snapshot-request',
    from,
    term: 5,
    snapshot: { ...snapshot, configuration: { voters: [1], learners: [1] } },
  },
};

function follower(): Solo {
  const hardState = { term: 2, vote: 0, commit: 1 };
  const solo = new Solo({ terms: [1, 1], hardState, applied: 1 });
  solo.step(beat);
  solo.flush();
  return solo;
}

describe('malformed messages', () => {
  test.each(Object.entries(malformed))(
    'A-10, O10: %s -> refused, nothing changed',
    (_, message) => {
      const leader = new Solo({ terms: [1, 1], hardState: { term: 1, vote: 0, commit: 1 } });
      leader.lead();
      for (const solo of [follower(), leader]) {
        const before = solo.status;
        const { electionElapsed } = solo.core;
        expect(() => solo.step(message)).toThrow(
          expect.objectContaining({ code: 'MESSAGE_INVALID' }),
        );
        expect(solo.status).toEqual(before);
        expect(solo.core.electionElapsed).toBe(electionElapsed);
        expect(solo.node.hasReady()).toBe(false);
      }
    },
  );

  test.each([2, 3])(
    'A-10, O10: a commit index of term %i beyond the end, entries having been lost -> told, nothing changed',
    (term) => {
      const solo = follower();
      solo.tick(3);
      const before = solo.status;
      expect(() => solo.step({ ...beat, term, commit: 3 })).toThrow(
        expect.objectContaining({ code: 'MEMBER_ROLLED_BACK' }),
      );
      expect(solo.status).toEqual(before);
      expect(solo.core.electionElapsed).toBe(3);
      expect(solo.node.hasReady()).toBe(false);
    },
  );

  test('A-10, O10: a commit index beyond the end, of a leader that was replaced -> ignored', () => {
    const solo = follower();
    const before = solo.status;
    solo.step({ ...beat, term: 1, commit: 3 });
    expect(solo.status).toEqual(before);
  });

  test('A-10, O10: an append whose commit index is beyond its entries -> only up to them', () => {
    const solo = follower();
    solo.step({ ...append, entries: [entryOf(2, 3)], commit: 99 });
    expect(solo.status.commit).toBe(3);
  });
});

/** A copy, bytes and all, to be compared with afterwards. */
function copy<T>(value: T): T {
  return structuredClone(value);
}

describe('objects that the caller keeps', () => {
  test('A-22, S13: a proposal that is passed on -> the message is as it was', () => {
    const solo = follower();
    const mine: PeerMessage = { kind: 'propose-request', from: 3, to: 1, term: 0, proposals };
    const before = copy(mine);
    // Frozen by the harness: a write to it would throw.
    solo.step(mine);
    expect(mine).toEqual(before);
    const [sent] = only(solo.flush(), 'propose-request');
    expect(sent).toMatchObject({ from: 3, to: 2, term: 0 });
    expect(sent).not.toBe(mine);
  });

  test('A-22, S13: a refused change among proposals -> replaced in the log, not in the list', () => {
    const solo = new Solo({ voters: [1, 2, 3] });
    solo.lead();
    solo.acknowledge(2);
    const change = encodeConfChange({ transition: 'auto', changes: [] });
    const context = encodeConfChange({ transition: 'auto', changes: [], context: bytes('why') });
    const list = [proposals[0], change, context];
    const mine: Message = { kind: 'propose-request', from: 3, to: 1, term: 0, proposals: list };
    const before = copy(mine);
    solo.step(mine);
    solo.flush();
    expect(mine).toEqual(before);
    const logged = solo.disk.written.entries.slice(1).map(({ type, data }) => [type, data.length]);
    expect(logged).toEqual([
      ['normal', 1],
      ['normal', 0],
      ['normal', 0],
    ]);
  });

  test('A-22, S13: entries of an append -> the log keeps its own list', () => {
    const solo = follower();
    const entries = [entryOf(2, 3), entryOf(2, 4)];
    const mine = { ...append, to: 1, term: 2, entries };
    solo.node.step(mine);
    entries.length = 0;
    expect(solo.core.log.lastIndex).toBe(4);
    expect(solo.ready().append?.entries.map(({ index }) => index)).toEqual([3, 4]);
  });
});
