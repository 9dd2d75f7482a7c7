/** Changes of the configuration, as mended: rows and O13, O15. */
import { describe, expect, test } from 'vitest';
import {
  type ConfChange,
  type ConfChangeV2,
  encodeConfChange,
  raftConfig,
} from '../../../src/raft/index.js';
import { entryOf } from './disk.js';
import { Net } from './net.js';
import { only, Solo, texts } from './solo.js';

const invalid = (...reasons: readonly string[]) =>
  expect.objectContaining({
    code: 'CONFIGURATION_INVALID',
    outcome: 'rejected',
    ...(reasons.length === 1 && { reason: reasons[0] }),
  });

const joint = { voters: [1, 2], votersOutgoing: [1, 2, 3], learnersNext: [3] };

describe('changes that no member could apply', () => {
  const unknown = { type: 'promote' as never, memberId: 2 };
  const explicit = (...changes: ConfChangeV2['changes']): ConfChangeV2 => {
    return { transition: 'joint-explicit', changes };
  };
  const rows: readonly {
    readonly name: string;
    readonly from: Parameters<typeof leaderOf>[0];
    readonly change: ConfChange | ConfChangeV2;
    readonly reason: string;
  }[] = [
    {
      name: 'the last voter removed',
      from: { voters: [1] },
      change: { type: 'remove', memberId: 1 },
      reason: 'voters-removed',
    },
    {
      name: 'the last voter removed, through the joint state',
      from: { voters: [1], learners: [2] },
      change: explicit({ type: 'remove', memberId: 1 }),
      reason: 'voters-removed',
    },
    { name: 'explicit and empty while joint', from: joint, change: explicit(), reason: 'joint' },
    {
      name: 'implicit and empty while joint',
      from: joint,
      change: { transition: 'joint-implicit', changes: [] },
      reason: 'joint',
    },
    {
      name: 'a change while joint',
      from: joint,
      change: { type: 'add-voter', memberId: 4 },
      reason: 'joint',
    },
    {
      name: 'leaving what is not joint',
      from: { voters: [1, 2, 3] },
      change: { transition: 'auto', changes: [] },
      reason: 'not-joint',
    },
    {
      name: 'empty and explicit while not joint',
      from: { voters: [1, 2, 3] },
      change: explicit(),
      reason: 'not-joint',
    },
  ];

  function leaderOf(configuration: { voters: readonly number[]; learners?: readonly number[] }) {
    const solo = new Solo({ configuration });
    solo.lead();
    for (const id of solo.core.progress.keys()) if (id !== 1) solo.acknowledge(id);
    return solo;
  }

  test.each(rows)('A-9, O6: $name -> refused when proposed', ({ from, change, reason }) => {
    const solo = leaderOf(from);
    const before = solo.node.configuration;
    const appended = solo.node.proposeConfChange(change);
    expect(appended?.refused).toEqual(invalid(reason));
    const { index } = appended!.first;
    solo.flush();
    // An empty entry keeps the place, and nothing stands in the way of the next change.
    expect(solo.disk.written.entries[index - 1]).toMatchObject({ type: 'normal' });
    expect(solo.disk.written.entries[index - 1]?.data).toHaveLength(0);
    expect(solo.node.configuration).toEqual(before);
    expect(solo.core.pendingConfIndex).toBeLessThan(index);
  });

  test('A-9, O6: an unknown operation -> refused when proposed, also as bytes of a peer', () => {
    const solo = leaderOf({ voters: [1, 2, 3] });
    expect(() => solo.node.proposeConfChange(unknown)).toThrow(invalid('unknown-change'));
    const bytes = encodeConfChange({
      transition: 'auto',
      changes: [{ type: 'remove', memberId: 3 }],
    });
    const data = bytes.data.slice();
    data[4] = 200;
    const proposals = [{ type: bytes.type, data }];
    const { lastIndex } = solo.status;
    solo.step({ kind: 'propose-request', from: 2, term: 0, proposals });
    solo.flush();
    expect(solo.disk.written.entries[lastIndex]).toMatchObject({ type: 'normal' });
  });

  test.each(rows)('A-9, O6: $name, committed nevertheless -> the members go on', (row) => {
    const solo = new Solo({ configuration: row.from, disableConfChangeValidation: true });
    solo.lead();
    const others = [...solo.core.progress.keys()].filter((id) => id !== 1);
    const before = solo.node.configuration;
    solo.node.proposeConfChange(row.change);
    solo.flush();
    for (const id of others) solo.acknowledge(id);
    if (row.name.startsWith('empty and explicit')) {
      // Allowed for once it is in the log: joint with itself, to be left by a proposal.
      expect(solo.node.configuration.votersOutgoing).toEqual([1, 2, 3]);
      return;
    }
    expect(solo.refused).toHaveLength(1);
    expect(solo.node.configuration).toEqual(before);
    solo.propose('on');
    solo.flush();
    for (const id of others) solo.acknowledge(id);
    expect(texts(solo.applied)).toEqual(['on']);
  });

  test('A-9, O6: undecodable bytes committed -> refused alike, nothing changed', () => {
    const wrong = { ...entryOf(1, 1), type: 'config-change' } as const;
    const solo = new Solo({ entries: [wrong], hardState: { term: 1, vote: 0, commit: 1 } });
    solo.flush();
    expect(solo.refused).toEqual([invalid('unknown-change')]);
    expect(solo.node.configuration.voters).toEqual([1, 2, 3]);
    expect(solo.status.applied).toBe(1);
  });
});

describe('leaving the joint state', () => {
  test('A-19: entries applied one at a time, more behind the change -> left exactly once', () => {
    for (const asyncStorageWrites of [false, true]) {
      const solo = new Solo({ voters: [1], applyBytesMax: 1, asyncStorageWrites });
      solo.lead();
      const changes = [{ type: 'add-learner', memberId: 2 }] as const;
      solo.node.proposeConfChange({ transition: 'joint-implicit', changes });
      for (let nth = 0; nth < 8; nth += 1) solo.propose(`c${nth}`);
      let batches = 0;
      while (solo.node.hasReady()) {
        const before = solo.applied.length;
        solo.turn();
        const count = solo.applied.length - before;
        expect(count).toBeLessThanOrEqual(1);
        batches += count;
      }
      const leaving = solo.applied.filter(
        ({ type, data }) => type === 'config-change-v2' && data.length === 0,
      );
      expect(leaving).toHaveLength(1);
      expect(batches).toBe(10);
      expect(solo.node.configuration).toMatchObject({ votersOutgoing: [], learners: [2] });
      expect(solo.refused).toEqual([]);
    }
  });

  test('O13: status while joint -> says that it will be left by itself', () => {
    const solo = new Solo();
    solo.lead();
    solo.acknowledge(2);
    for (const [transition, autoLeave] of [
      ['joint-implicit', true],
      ['joint-explicit', false],
    ] as const) {
      const changes = [{ type: 'add-learner', memberId: 4 }] as const;
      solo.node.proposeConfChange({ transition, changes });
      solo.flush();
      solo.acknowledge(2);
      expect(solo.status.configuration).toMatchObject({ votersOutgoing: [1, 2, 3], autoLeave });
      if (!autoLeave) continue;
      solo.acknowledge(2);
      expect(solo.status.configuration).toMatchObject({ votersOutgoing: [], autoLeave: false });
    }
  });
});

describe('who may lead', () => {
  test('A-20: handing over to a learner -> ignored', () => {
    const solo = new Solo({ voters: [1, 2], learners: [3] });
    solo.lead();
    for (const id of [2, 3]) solo.acknowledge(id);
    solo.node.transferLeader(3);
    expect(only(solo.flush(), 'timeout-now')).toEqual([]);
    expect(solo.status.transferee).toBe(0);
    solo.propose('still taken');
  });

  test('A-20: handing over to one about to be demoted -> leads until the joint state is left', () => {
    const net = new Net([1, 2, 3], () => ({ configuration: joint, stepDownOnRemoval: true }));
    net.elect(1);
    net.at(1).node.transferLeader(3);
    net.settle();
    expect(net.leaders).toEqual([3]);
    net.propose(3, 'led by 3');
    net.at(3).node.proposeConfChange({ transition: 'auto', changes: [] });
    net.settle();
    expect(net.at(3).status).toMatchObject({ role: 'follower', leader: 0 });
    expect(net.at(3).node.configuration).toMatchObject({ voters: [1, 2], learners: [3] });
    net.elect(2);
    expect(texts(net.at(3).applied)).toEqual(['led by 3']);
  });

  test('O15: a leader that was demoted or removed -> steps down, unless told otherwise', () => {
    const reader = new Solo().disk;
    const random = { u32: () => 0 };
    expect(raftConfig({ id: 1, reader, random }).stepDownOnRemoval).toBe(true);
    for (const type of ['add-learner', 'remove'] as const) {
      for (const stepDownOnRemoval of [true, false]) {
        const solo = new Solo({ voters: [1, 2, 3], stepDownOnRemoval });
        solo.lead();
        solo.acknowledge(2);
        solo.node.proposeConfChange({ type, memberId: 1 });
        solo.flush();
        solo.acknowledge(2);
        expect(solo.node.configuration.voters).toEqual([2, 3]);
        expect(solo.node.role).toBe(stepDownOnRemoval ? 'follower' : 'leader');
        if (!stepDownOnRemoval) continue;
        expect(() => solo.propose('late')).toThrow(expect.objectContaining({ code: 'NOT_LEADER' }));
        solo.tick(100);
        expect(solo.node.role).toBe('follower');
      }
    }
  });
});

describe('the change under way', () => {
  test('A-21, O7: a change for which there is no room -> does not stand in the way', () => {
    const solo = new Solo({ uncommittedBytesMax: 16 });
    solo.lead();
    solo.acknowledge(2);
    solo.propose('0123456789abcdef');
    const change: ConfChange = { type: 'add-voter', memberId: 4 };
    const before = solo.core.pendingConfIndex;
    expect(() => solo.node.proposeConfChange(change)).toThrow(
      expect.objectContaining({ code: 'PROPOSAL_DROPPED' }),
    );
    expect(solo.core.pendingConfIndex).toBe(before);
    solo.flush();
    solo.acknowledge(2);
    const appended = solo.node.proposeConfChange(change);
    expect(appended?.refused).toBeUndefined();
    solo.flush();
    solo.acknowledge(2);
    expect(solo.node.configuration.voters).toEqual([1, 2, 3, 4]);
  });
});
