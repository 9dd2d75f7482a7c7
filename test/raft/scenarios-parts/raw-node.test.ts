/** The core as a driver sees it, in synchronous mode as in the reference: rows W. */
import { describe, expect, test } from 'vitest';
import {
  type ConfChange,
  type ConfChangeV2,
  type ConfState,
  decodeConfChange,
  encodeConfChange,
  type HardState,
  isSameConfState,
  type Message,
} from '../../../src/raft/index.js';
import { bytes, Disk, entriesOf } from './disk.js';
import { only, Solo, type SoloOptions, texts } from './solo.js';

const code = (name: string) => expect.objectContaining({ code: name });
const alone: SoloOptions = { voters: [1], asyncStorageWrites: false };

/** One voter in synchronous mode, leading, with its opening applied. */
function leader(options: SoloOptions = {}): Solo {
  const solo = new Solo({ ...alone, ...options });
  solo.lead();
  return solo;
}

/** A message of every kind, from a given sender. */
function everyKind(from: number): readonly Message[] {
  const envelope = { from, to: 1, term: 1 };
  const last = { index: 1, term: 1 };
  const snapshot = { last, configuration: { voters: [1] }, data: bytes('') };
  const nothing = { previous: { index: 0, term: 0 }, entries: [], commit: 0 };
  const proposals = [{ type: 'normal', data: bytes('x') }] as const;
  return [
    { kind: 'append-request', ...envelope, ...nothing },
    { kind: 'append-response', ...envelope, index: 1 },
    { kind: 'heartbeat-request', ...envelope, commit: 0, reads: 0, sentAt: 0 },
    { kind: 'heartbeat-response', ...envelope, reads: 0, sentAt: 0 },
    { kind: 'snapshot-request', ...envelope, snapshot },
    { kind: 'timeout-now', ...envelope },
    { kind: 'transfer-request', ...envelope, transferee: 1 },
    { kind: 'propose-request', ...envelope, term: 0, proposals },
    { kind: 'read-request', ...envelope, readId: 1 },
    { kind: 'read-response', ...envelope, readId: 1, index: 1 },
    { kind: 'vote-request', ...envelope, last },
    { kind: 'vote-response', ...envelope, granted: true },
    { kind: 'pre-vote-request', ...envelope, last },
    { kind: 'pre-vote-response', ...envelope, granted: true },
    { kind: 'storage-append-response', ...envelope, last },
    { kind: 'storage-apply-response', ...envelope, index: 1, payloadBytes: 0, encodedBytes: 0 },
  ];
}

/** What only members may send, and what nobody may send. */
function refusalOf({ kind }: Message): string | undefined {
  if (kind.startsWith('storage-')) return 'ARGUMENT_INVALID';
  const forMembers = ['transfer-request', 'propose-request', 'read-request'];
  return kind.endsWith('-response') || forMembers.includes(kind) ? 'MEMBER_UNKNOWN' : undefined;
}

describe('what is stepped in', () => {
  const start = () => new Solo({ voters: [1], terms: [1], hardState: hard(1, 0, 1) });

  test.each(everyKind(0))('W-1: $kind from nobody -> refused, nothing changed', (message) => {
    const solo = start();
    const before = solo.status;
    expect(() => solo.step(message)).toThrow(code(refusalOf(message) ?? 'MESSAGE_INVALID'));
    expect(solo.status).toEqual(before);
  });

  test.each(everyKind(9))(
    'W-1: $kind from a stranger -> answers refused, requests no harm',
    (message) => {
      const solo = start();
      const before = solo.status;
      const refusal = refusalOf(message);
      if (refusal === undefined) {
        solo.step(message);
        solo.flush();
        return;
      }
      expect(() => solo.step(message)).toThrow(code(refusal));
      expect(solo.status).toEqual(before);
    },
  );

  test('W-1: an own storage answer in synchronous mode -> refused: advance() says it', () => {
    const solo = new Solo(alone);
    const last = { index: 0, term: 0 };
    expect(() => solo.step({ kind: 'storage-append-response', from: 1, last })).toThrow(
      code('ARGUMENT_INVALID'),
    );
  });
});

interface ChangeRow {
  readonly name: string;
  readonly change: ConfChange | ConfChangeV2;
  readonly after: ConfState;
  readonly left?: ConfState;
}

const three = [
  { type: 'add-voter', memberId: 2 },
  { type: 'add-learner', memberId: 1 },
  { type: 'add-learner', memberId: 3 },
] as const;
const learnerTwo = [{ type: 'add-learner', memberId: 2 }] as const;
const swap = { voters: [2], votersOutgoing: [1], learners: [3], learnersNext: [1] };
const swapped = { voters: [2], learners: [1, 3] };
const jointLearner = { voters: [1], votersOutgoing: [1], learners: [2] };
const oneAndLearner = { voters: [1], learners: [2] };

const changeRows: readonly ChangeRow[] = [
  {
    name: 'V1 add 2',
    change: { type: 'add-voter', memberId: 2 },
    after: { voters: [1, 2] },
  },
  {
    name: 'V2 add 2',
    change: { transition: 'auto', changes: [{ type: 'add-voter', memberId: 2 }] },
    after: { voters: [1, 2] },
  },
  {
    name: 'V2 learner 2',
    change: { transition: 'auto', changes: learnerTwo },
    after: oneAndLearner,
  },
  {
    name: 'explicit learner',
    change: { transition: 'joint-explicit', changes: learnerTwo },
    after: jointLearner,
    left: oneAndLearner,
  },
  {
    name: 'implicit learner',
    change: { transition: 'joint-implicit', changes: learnerTwo },
    after: { ...jointLearner, autoLeave: true },
    left: oneAndLearner,
  },
  {
    name: 'auto with three changes',
    change: { transition: 'auto', changes: three },
    after: { ...swap, autoLeave: true },
    left: swapped,
  },
  {
    name: 'explicit with three changes',
    change: { transition: 'joint-explicit', changes: three },
    after: swap,
    left: swapped,
  },
  {
    name: 'implicit with three changes',
    change: { transition: 'joint-implicit', changes: three },
    after: { ...swap, autoLeave: true },
    left: swapped,
  },
];

describe('changes of the configuration', () => {
  test.each(changeRows)('W-2: $name -> its configuration, and out of it again', (row) => {
    const solo = leader();
    const index = solo.core.log.lastIndex + 1;
    expect(solo.node.proposeConfChange(row.change)).toEqual({ first: { term: 1, index } });
    solo.turn();
    solo.turn();
    expect(isSameConfState(solo.node.configuration, row.after)).toBe(true);
    // Down to the bytes what was proposed.
    expect(solo.disk.written.entries[index - 1]).toMatchObject(encodeConfChange(row.change));
    if (row.left === undefined) {
      expect(solo.core.pendingConfIndex).toBe(index);
      return;
    }
    const auto = row.after.autoLeave === true;
    expect(solo.core.pendingConfIndex).toBe(auto ? index + 1 : index);
    const context = auto ? undefined : bytes('manual');
    if (!auto) {
      expect(solo.ready().append?.entries ?? []).toEqual([]);
      solo.persist();
      solo.node.advance();
      solo.node.proposeConfChange({ transition: 'auto', changes: [], context });
    }
    const [leave] = solo.ready().append?.entries ?? [];
    expect(leave).toMatchObject({ type: 'config-change-v2', index: index + 1 });
    const decoded = decodeConfChange(leave!);
    expect(decoded).toMatchObject({ transition: 'auto', changes: [], ...(context && { context }) });
    if (auto) expect(leave!.data).toHaveLength(0);
    // Not committed: that would take a member that is not here. What it leads to is the same.
    expect(isSameConfState(solo.node.applyConfChange(decoded), row.left)).toBe(true);
  });

  test('W-3: leadership lost before an implicit joint change is applied -> left by the next', () => {
    const solo = leader();
    solo.node.proposeConfChange({ transition: 'joint-implicit', changes: learnerTwo });
    solo.turn();
    const ready = solo.ready();
    expect(ready.apply?.entries).toHaveLength(1);
    const nothing = { previous: { index: 0, term: 0 }, entries: [], commit: 0 };
    solo.step({ kind: 'append-request', from: 2, term: 2, ...nothing });
    expect(solo.node.role).toBe('follower');
    solo.persist();
    solo.apply(ready.apply);
    solo.node.advance();
    expect(isSameConfState(solo.node.configuration, { ...jointLearner, autoLeave: true })).toBe(
      true,
    );
    solo.flush();
    expect(solo.core.pendingConfIndex).toBe(0);
    expect(solo.terms).toEqual([1, 1]);

    solo.campaign();
    solo.flush();
    expect(solo.node.role).toBe('leader');
    const leaves = solo.disk.written.entries.filter(
      ({ type, index }) => type === 'config-change-v2' && index > 2,
    );
    expect(leaves).toHaveLength(1);
    expect(leaves[0]!.data).toHaveLength(0);
    expect(isSameConfState(solo.node.configuration, oneAndLearner)).toBe(true);
  });

  test('W-4: the same member added twice, then another -> all logged, the last not blocked', () => {
    const solo = leader();
    const changes = [1, 1, 2].map((memberId): ConfChange => ({ type: 'add-voter', memberId }));
    for (const change of changes) {
      const appended = solo.node.proposeConfChange(change);
      expect(appended?.refused).toBeUndefined();
      solo.flush();
    }
    const logged = solo.applied.filter(({ type }) => type === 'config-change');
    expect(logged.map(({ data }) => data)).toEqual(
      changes.map((each) => encodeConfChange(each).data),
    );
    expect(solo.node.configuration.voters).toEqual([1, 2]);
  });
});

describe('reads', () => {
  test('W-5: reads that may be served -> told once; a request carries what names it', () => {
    const solo = leader();
    solo.node.readIndex(77);
    expect(solo.node.hasReady()).toBe(true);
    expect(solo.ready().reads).toEqual([{ readId: 77, index: 1 }]);
    expect(solo.node.hasReady()).toBe(false);
    expect(solo.ready().reads).toEqual([]);

    const follower = new Solo();
    follower.step({ kind: 'heartbeat-request', from: 2, term: 1, commit: 0, reads: 0, sentAt: 0 });
    follower.node.readIndex(78);
    expect(only(follower.flush(), 'read-request')).toMatchObject([{ to: 2, readId: 78 }]);
  });
});

function hard(term: number, vote: number, commit: number): HardState {
  return { term, vote, commit };
}

describe('start', () => {
  test('W-6: over a first index and its members -> opening, proposal, then one lazy commit', () => {
    const solo = new Solo({ ...alone, base: { index: 1, term: 0 } });
    expect(solo.node.hasReady()).toBe(false);
    solo.campaign();
    const won = solo.ready();
    expect(won.append).toMatchObject({ hardState: hard(1, 1, 1), entries: [], mustSync: true });
    solo.persist();
    solo.node.advance();
    expect(solo.node.role).toBe('leader');
    solo.propose('foo');
    const first = solo.ready();
    expect(first.append?.entries.map(({ term, index }) => [term, index])).toEqual([
      [1, 2],
      [1, 3],
    ]);
    expect(texts(first.append?.entries ?? [])).toEqual(['foo']);
    expect(first.append?.mustSync).toBe(true);
    expect(first.apply).toBeUndefined();
    solo.persist();
    solo.node.advance();
    const last = solo.ready();
    expect(last.append).toEqual({
      entries: [],
      hardState: hard(1, 1, 3),
      mustSync: false,
      responses: [],
    });
    expect(last.apply?.entries.map(({ index }) => index)).toEqual([2, 3]);
    expect(last.messages).toEqual([]);
    solo.persist();
    solo.node.advance();
    expect(solo.node.hasReady()).toBe(false);
  });

  test.each([
    {
      id: 'W-7',
      from: { terms: [1, 1], hardState: hard(1, 0, 1) },
      applied: [1],
    },
    {
      id: 'W-8',
      from: { base: { index: 2, term: 1 }, terms: [1], hardState: hard(1, 0, 3) },
      applied: [3],
    },
  ])('$id: restart with something committed -> only that, and no write', ({ from, applied }) => {
    const solo = new Solo({ ...alone, ...from });
    const ready = solo.ready();
    expect(ready.append).toBeUndefined();
    expect(ready.apply?.entries.map(({ index }) => index)).toEqual(applied);
    expect([ready.messages, ready.reads, ready.softState]).toEqual([[], [], undefined]);
    solo.node.advance();
    expect(solo.node.hasReady()).toBe(false);
  });

  test('W-9: status -> progress only of a leader, the members of anybody', () => {
    const solo = new Solo(alone);
    expect(solo.status).toMatchObject({ progress: [], voters: [1], role: 'follower' });
    solo.lead();
    expect(solo.status.progress.map(({ id, state }) => [id, state])).toEqual([[1, 'replicate']]);
    expect(solo.status.configuration).toMatchObject({ voters: [1], learners: [] });
  });
});

describe('budgets', () => {
  test('W-10: a store that returns one entry too many -> applied without gap or repeat', () => {
    const entries = entriesOf(Array.from({ length: 10 }, () => 1));
    const disk = new Disk({ entries, hardState: hard(1, 1, 10), configuration: { voters: [1] } });
    disk.overshoot = 1;
    // One byte short of the whole, so that the last is handed out only by the overshoot.
    const applyBytesMax = entries.slice(0, -1).reduce((sum, { data }) => sum + data.length + 24, 0);
    const solo = new Solo({ ...alone, disk, applyBytesMax });
    const commits: number[] = [];
    const step = () => {
      const ready = solo.ready();
      if (ready.append?.hardState) commits.push(ready.append.hardState.commit);
      solo.persist();
      solo.apply(ready.apply);
      solo.node.advance();
    };
    step();
    const leader = { from: 2, term: 1, previous: { index: 10, term: 1 } };
    solo.step({ kind: 'append-request', ...leader, entries: entriesOf([1], 11), commit: 11 });
    while (solo.node.hasReady()) step();
    expect(solo.applied.map(({ index }) => index)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(commits).toEqual([11]);
  });

  test('W-11: proposals beyond the limit -> dropped until the first ones are applied', () => {
    const data = bytes('testdata');
    const kept = 16;
    const solo = leader({ uncommittedBytesMax: kept * data.length });
    let taken = 0;
    for (let at = 0; at < 1_024; at += 1) {
      try {
        solo.propose(data);
        taken += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: 'PROPOSAL_DROPPED', outcome: 'rejected' });
      }
    }
    expect(taken).toBe(kept);
    expect(solo.core.uncommittedBytes).toBe(kept * data.length);
    solo.turn();
    const ready = solo.ready();
    expect(solo.status.commit).toBe(1 + kept);
    expect(solo.core.uncommittedBytes).toBe(kept * data.length);
    solo.persist();
    solo.apply(ready.apply);
    solo.node.advance();
    expect(solo.core.uncommittedBytes).toBe(0);
  });

  test('W-12: a message while another Ready is out -> each delivered exactly once', () => {
    const solo = new Solo({ asyncStorageWrites: false });
    const ask = (last: number): Message[] => {
      solo.core.send({ kind: 'timeout-now', from: 1, to: 2, term: last });
      return [{ kind: 'timeout-now', from: 1, to: 2, term: last }];
    };
    const first = ask(1);
    // Looking takes nothing away.
    expect([solo.node.hasReady(), solo.node.hasReady()]).toEqual([true, true]);
    expect(solo.ready().messages).toEqual(first);
    expect(solo.node.hasReady()).toBe(false);
    const second = ask(2);
    solo.node.advance();
    expect(solo.ready().messages).toEqual(second);
    solo.node.advance();
    expect(solo.node.hasReady()).toBe(false);
  });
});
