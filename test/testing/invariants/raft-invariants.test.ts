// Every rule of Raft can fail, and fails for what it is about: a fake group breaks one at a time. That
// none of them fails without need is what the random clusters and the simulator show.
import { describe, expect, test } from 'vitest';
import { InvariantViolation } from '../../../src/testing/invariants/invariant-violation.js';
import { KeptLog } from '../../../src/testing/invariants/kept-log.js';
import { isOverlapping } from '../../../src/testing/invariants/quorum-overlap.js';
import { RaftFacts } from '../../../src/testing/invariants/raft-facts.js';
import {
  livenessInvariants,
  raftInvariants,
} from '../../../src/testing/invariants/raft-invariants.js';
import { FakeGroup, FakeNode, three } from './fake-node.js';

const entry = (term: number, hash = term) => ({ term, hash });

/** A leader of term 1 with one entry that everybody has, and that is committed. */
function settled(): FakeGroup {
  const group = new FakeGroup();
  group.elect(1, 1);
  group.commit(entry(1));
  return group;
}

const campaign = { kind: 'vote-request', from: 3, to: 2, term: 2 } as const;

/** A follower answers a heartbeat of member 1, which may read without asking for a millisecond. */
function pledge(group: FakeGroup, id: number): void {
  Object.assign(group.node(id), { leaseMs: 1, pledges: true });
  const beat = { kind: 'heartbeat-request', from: 1, to: id, term: 1, commit: 0 } as const;
  group.tell(id, { kind: 'received', message: { ...beat, sentAt: 5 } });
  const answer = { kind: 'heartbeat-response', from: id, to: 1, term: 1, sentAt: 5 } as const;
  group.tell(id, { kind: 'sent', message: answer });
}

const breaks: Readonly<Record<string, readonly (readonly [string, (group: FakeGroup) => void])[]>> =
  {
    R1: [
      ['two leaders of a term', (g) => g.change(3, { role: 'leader' })],
      ['a leader without votes', (g) => g.change(3, { term: 2, vote: 3, role: 'leader' })],
      [
        'a leader of nobody',
        (g) => {
          const configuration = { ...three, voters: [] };
          g.change(2, { term: 2, vote: 2, role: 'leader', configuration });
        },
      ],
    ],
    S1: [
      [
        'a start without what was durable',
        (g) => {
          g.node(2).disk.terms = [];
          g.tell(2, { kind: 'start' });
        },
      ],
      [
        'another entry where one was durable',
        (g) => {
          g.node(2).disk.terms = [3];
          g.tell(2, { kind: 'start' });
        },
      ],
      [
        'a start without the vote',
        (g) => {
          g.node(2).vote = 0;
          g.node(2).disk.vote = 0;
          g.tell(2, { kind: 'start' });
        },
      ],
    ],
    R2: [
      [
        'another entry of the same index and term',
        (g) => {
          g.append(1, entry(1, 10));
          g.append(2, entry(1, 11));
        },
      ],
      [
        'another entry before it',
        (g) => {
          g.append(1, entry(1, 10));
          g.change(1, { term: 2, vote: 0, role: 'follower' });
          g.append(1, entry(2));
          g.node(2).log = [entry(1), entry(2, 2)];
          g.change(2, { term: 2 });
          g.tell(2, { kind: 'log', from: 2 });
          g.node(3).log = [entry(1), entry(1, 10), entry(2, 99)];
          g.change(3, { term: 2 });
          g.tell(3, { kind: 'log', from: 2 });
        },
      ],
      ['terms that fall', (g) => g.append(2, entry(0))],
      ['an entry newer than the member', (g) => g.append(2, entry(5))],
    ],
    R3: [
      [
        'a leader without what was committed',
        (g) => {
          g.node(2).log = [];
          g.node(2).commit = 0;
          g.tell(2, { kind: 'start' });
          g.elect(2, 2);
        },
      ],
    ],
    R4: [
      ['a gap', (g) => g.tell(2, { kind: 'applied', index: 2, hash: 1, state: 1 })],
      ['another entry', (g) => g.tell(2, { kind: 'applied', index: 1, hash: 9, state: 1 })],
      [
        'another state',
        (g) => {
          g.apply(1, 7);
          g.apply(2, 8);
        },
      ],
      ['a wrong snapshot', (g) => g.tell(2, { kind: 'installed', index: 1, state: 5 })],
    ],
    R5: [
      [
        'an entry on one disk',
        (g) => {
          g.append(1, entry(1));
          g.change(1, { commit: 2 });
        },
      ],
      [
        'disks that forget',
        (g) => {
          for (const id of [1, 2]) {
            g.node(id).disk.terms = [];
            g.tell(id, { kind: 'crash' });
          }
        },
      ],
    ],
    R6: [
      [
        'another committed entry',
        (g) => {
          g.append(1, entry(1));
          g.append(2, entry(1));
          g.change(1, { commit: 2 });
          g.change(3, { term: 2 });
          g.append(3, entry(2));
          g.change(3, { commit: 2 });
        },
      ],
      ['a snapshot of what was not', (g) => g.tell(3, { kind: 'snapshot', index: 4, term: 1 })],
    ],
    R7: [
      ['a term that falls', (g) => g.change(2, { term: 0 })],
      ['a commit index that falls', (g) => g.change(2, { commit: 0 })],
      ['another vote', (g) => g.change(2, { vote: 3 })],
      [
        'a disk that goes back',
        (g) => {
          g.node(2).disk.term = 0;
          g.tell(2, { kind: 'durable' });
        },
      ],
      [
        'a start that forgets the vote',
        (g) => {
          g.node(2).vote = 0;
          g.tell(2, { kind: 'start' });
        },
      ],
    ],
    R8: [
      ['more applied than committed', (g) => g.change(2, { applied: 2 })],
      ['more committed than there is', (g) => g.change(2, { commit: 2 })],
      ['purged before the snapshot', (g) => g.change(2, { firstIndex: 2, log: [], baseTerm: 1 })],
    ],
    R9: [
      [
        'two votes',
        (g) => {
          const message = {
            kind: 'vote-response',
            from: 2,
            to: 3,
            term: 1,
            granted: true,
          } as const;
          g.node(2).disk.vote = 3;
          g.tell(2, { kind: 'sent', message });
        },
      ],
    ],
    R10: [
      [
        'a term that is not durable',
        (g) => {
          const message = { kind: 'vote-request', from: 3, to: 1, term: 9 } as const;
          g.tell(3, { kind: 'sent', message });
        },
      ],
      [
        'an acknowledgement of what is not durable',
        (g) => {
          g.node(2).sync();
          const message = { kind: 'append-response', from: 2, to: 1, term: 1, index: 2 } as const;
          g.tell(2, { kind: 'sent', message });
        },
      ],
      [
        'a commit told that nobody knows of',
        (g) => {
          const commit = { index: 2, term: 1 };
          g.tell(3, { kind: 'sent', message: { ...campaign, kind: 'pre-vote-request', commit } });
        },
      ],
      [
        'a commit told that is not durable',
        (g) => {
          g.commit(entry(1));
          g.node(3).disk.terms = [1];
          const commit = { index: 2, term: 1 };
          g.tell(3, { kind: 'sent', message: { ...campaign, kind: 'pre-vote-request', commit } });
        },
      ],
      [
        'a vote that is not durable',
        (g) => {
          g.node(3).sync();
          const message = {
            kind: 'vote-response',
            from: 3,
            to: 2,
            term: 1,
            granted: true,
          } as const;
          g.tell(3, { kind: 'sent', message });
        },
      ],
    ],
    R11: [
      [
        'an entry of an earlier term, counted',
        (g) => {
          for (const id of [1, 2, 3]) g.append(id, entry(1));
          g.elect(2, 2);
          g.change(2, { commit: 2 });
        },
      ],
    ],
    R12: [
      ['a pre-candidate of a new term', (g) => g.change(3, { role: 'pre-candidate', term: 2 })],
      [
        'a pre-vote request that is followed',
        (g) => {
          const message = { kind: 'pre-vote-request', from: 3, to: 2, term: 5 } as const;
          g.tell(2, { kind: 'received', message });
          g.change(2, { term: 5, vote: 0 });
        },
      ],
      [
        'a pre-vote request that is followed, and told nothing new',
        (g) => {
          const commit = { index: 1, term: 1 };
          const message = { kind: 'pre-vote-request', from: 3, to: 2, term: 5, commit } as const;
          g.tell(2, { kind: 'received', message });
          g.change(2, { term: 5, vote: 0 });
        },
      ],
    ],
    R13: [
      [
        'a learner that campaigns',
        (g) => {
          const configuration = { ...three, voters: [1, 2], learners: [3] };
          g.node(3).configurationIndex = 9;
          g.change(3, { configuration, role: 'pre-candidate' });
        },
      ],
      ['a candidate without its state', (g) => g.change(3, { installing: 1, role: 'candidate' })],
    ],
    R14: [
      [
        'two changes on their way',
        (g) => {
          g.append(1, { ...entry(1), isChange: true });
          g.append(1, { ...entry(1), isChange: true });
        },
      ],
    ],
    R15: [
      [
        'a read from before',
        (g) => {
          g.apply(1);
          g.tell(1, { kind: 'read-asked', read: 1 });
          g.tell(1, { kind: 'read-answered', read: 1, index: 0 });
        },
      ],
      [
        'an answer nobody asked for',
        (g) => g.tell(1, { kind: 'read-answered', read: 5, index: 9 }),
      ],
      [
        'a number that is used again in the next life',
        (g) => {
          g.tell(1, { kind: 'read-asked', read: 1 });
          g.tell(1, { kind: 'start' });
          g.tell(1, { kind: 'read-asked', read: 1 });
        },
      ],
    ],
    R17: [
      [
        'a leader that takes an entry back',
        (g) => {
          g.append(1, entry(1));
          g.node(1).log.pop();
          g.tell(1, { kind: 'log', from: 2 });
        },
      ],
      [
        'a leader that says something else',
        (g) => {
          const append = (term: number) => {
            const entries = [{ index: 2, term }];
            const previous = { index: 1, term: 0 };
            const rest = { from: 1, to: 2, term: 1, previous, entries, commit: 0 };
            g.tell(1, { kind: 'sent', message: { kind: 'append-request', ...rest } });
          };
          append(0);
          append(1);
        },
      ],
    ],
    R18: [
      ['a damaged candidate', (g) => g.change(3, { damaged: true, role: 'candidate' })],
      [
        'a damaged voter',
        (g) => {
          g.change(3, { damaged: true, vote: 1 });
          g.node(3).sync();
          const message = {
            kind: 'vote-response',
            from: 3,
            to: 1,
            term: 1,
            granted: true,
          } as const;
          g.tell(3, { kind: 'sent', message });
        },
      ],
    ],
    R19: [
      [
        'an append with a gap',
        (g) => {
          const previous = { index: 1, term: 1 };
          const rest = { from: 1, to: 2, term: 1, previous, entries: [{ index: 3, term: 1 }] };
          g.tell(1, { kind: 'sent', message: { kind: 'append-request', commit: 0, ...rest } });
        },
      ],
    ],
    R20: [
      [
        'a follower that pledged and is not bound',
        (g) => {
          pledge(g, 2);
          g.node(2).pledges = false;
          g.tell(2, { kind: 'received', message: { ...campaign, kind: 'pre-vote-request' } });
        },
      ],
      [
        'a start without a pledge after one that is long over',
        (g) => {
          pledge(g, 2);
          for (let tick = 0; tick < 2_000; tick += 1) g.tell(3, { kind: 'durable' });
          g.node(2).pledges = false;
          g.tell(2, { kind: 'start' });
        },
      ],
      [
        'a campaign under a pledge',
        (g) => {
          pledge(g, 3);
          g.change(3, { term: 2, vote: 3, role: 'candidate' });
          g.node(3).sync();
          g.tell(3, { kind: 'sent', message: campaign });
        },
      ],
      [
        'a vote under a pledge',
        (g) => {
          pledge(g, 2);
          g.change(2, { term: 2, vote: 3 });
          g.node(2).sync();
          const vote = { kind: 'vote-response', from: 2, to: 3, term: 2, granted: true } as const;
          g.tell(2, { kind: 'sent', message: vote });
        },
      ],
    ],
    C4: [['a group that splits', (g) => g.apply(1, 7, { ...three, voters: [4, 5] })]],
    C5: [
      [
        'members that disagree about the group',
        (g) => {
          g.apply(1, 7, { ...three, voters: [1, 2, 3, 4] });
          g.apply(2, 7, { ...three, learners: [4] });
        },
      ],
      [
        'a member that goes by something else',
        (g) => g.change(2, { configuration: { ...three, learners: [4] } }),
      ],
    ],
    V1: [
      [
        'no leader',
        (g) => {
          g.change(1, { role: 'follower' });
          g.tell(1, { kind: 'healed' });
          for (let term = 2; term < 30; term += 1) g.change(2, { term, vote: 0 });
        },
      ],
    ],
    V3: [
      [
        'a member that stays behind',
        (g) => {
          g.tell(1, { kind: 'healed' });
          g.apply(1);
          g.tell(1, { kind: 'end' });
        },
      ],
    ],
    V5: [
      [
        'elections without end',
        (g) => {
          g.tell(1, { kind: 'healed' });
          for (let term = 2; term < 6; term += 1) {
            g.elect((term % 3) + 1, term);
            g.change((term % 3) + 1, { role: 'follower' });
          }
        },
      ],
    ],
  };

const cases = Object.entries(breaks).flatMap(([id, each]) =>
  each.map(([what, act]) => [id, what, act] as const),
);

describe('invariants of Raft', () => {
  test('a settled group -> no rule fails', () => {
    const group = settled();
    for (const id of [1, 2, 3]) group.apply(id);
    group.tell(1, { kind: 'healed' });
    group.tell(1, { kind: 'end' });
    expect(group.checker.facts.appliedMax).toBe(1);
  });

  test.each(cases)('%s: %s -> fails by this rule', (id, _, act) => {
    const group = settled();
    let failure: unknown;
    try {
      act(group);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(InvariantViolation);
    expect((failure as InvariantViolation).message).toMatch(new RegExp(`^${id}: `));
    expect((failure as InvariantViolation).id).toBe(id);
    expect((failure as InvariantViolation).atUs).toBeGreaterThan(0);
  });

  test('the list -> every rule has an id of its own, a source, and a case here', () => {
    const bounds = { leaderWithinUs: 1, electionsMax: 1 };
    const rules = [...raftInvariants, ...livenessInvariants(bounds)].map((make) =>
      make(new RaftFacts([])),
    );
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    expect(rules.map(({ id }) => id).sort()).toEqual(Object.keys(breaks).sort());
    for (const { title, source } of rules) expect(title.length * source.length).toBeGreaterThan(0);
  });

  test('a pledge that is over, and an election that the leader asked for -> nobody is bound', () => {
    const group = settled();
    pledge(group, 2);
    group.node(2).sync();
    const asked = { ...campaign, transfer: true };
    group.change(3, { term: 2, vote: 3, role: 'candidate' });
    group.node(3).sync();
    group.tell(3, { kind: 'sent', message: asked });
    group.change(2, { term: 2, vote: 3 });
    group.node(2).sync();
    const vote = { kind: 'vote-response', from: 2, to: 3, term: 2, granted: true } as const;
    group.tell(2, { kind: 'sent', message: vote });
    for (let tick = 0; tick < 1_000; tick += 1) group.tell(3, { kind: 'durable' });
    group.node(2).pledges = false;
    group.tell(2, { kind: 'received', message: campaign });
    group.node(2).pledges = true;
    group.tell(2, { kind: 'start' });
  });

  test('a crash while durable entries are being replaced -> either of them may be found', () => {
    for (const terms of [[1], [1, 1], [1, 2]]) {
      const kept = new KeptLog();
      const member = new FakeNode(3);
      const tell = (step: { kind: 'start' | 'durable' } | { kind: 'log'; from: number }) =>
        kept.check({ ...step, atUs: 1, member });
      tell({ kind: 'start' });
      member.log = [entry(1), entry(1, 10)];
      tell({ kind: 'log', from: 1 });
      // The next write is on its way before the first is durable.
      const first = member.log;
      member.log = [entry(1), entry(2)];
      tell({ kind: 'log', from: 2 });
      member.disk.terms = first.map(({ term }) => term);
      tell({ kind: 'durable' });
      member.disk.terms = terms;
      expect(() => tell({ kind: 'start' }), `${terms}`).not.toThrow();
      member.disk.terms = [];
      expect(() => tell({ kind: 'start' }), `${terms}`).toThrow(InvariantViolation);
    }
  });

  test('configurations without a quorum in common -> C4 tells them apart', () => {
    const of = (voters: number[], votersOutgoing: number[] = []) => ({
      ...three,
      voters,
      votersOutgoing,
    });
    expect(isOverlapping(three, of([1, 2, 3, 4]))).toBe(true);
    expect(isOverlapping(three, of([3, 4, 5]))).toBe(false);
    expect(isOverlapping(three, of([4, 5], [1, 2, 3]))).toBe(true);
  });
});
