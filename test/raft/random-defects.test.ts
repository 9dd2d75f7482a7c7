/**
 * Every property of the random clusters can fail: a core with one defect is caught, by the rule that
 * speaks of it, within a few seeds.
 */
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Entry, RawNode } from '../../src/raft/index.js';
import { Inflights } from '../../src/raft/inflights.js';
import { LeaderLease } from '../../src/raft/lease.js';
import { RaftLog } from '../../src/raft/log.js';
import type { PeerMessage } from '../../src/raft/messages.js';
import { Progress } from '../../src/raft/progress.js';
import { Raft } from '../../src/raft/raft.js';
import { coreOf, RawNode as Node } from '../../src/raft/raw-node.js';
import { ReadQueue } from '../../src/raft/read-index.js';
import { runSeed } from './random/run-seed.js';

/** Defects of functions that modules import from each other; empty: none. */
const defect = vi.hoisted(() => ({ name: '' }));

vi.mock(import('../../src/raft/quorum.js'), async (original) => {
  const real = await original();
  return {
    ...real,
    jointCommittedIndex: (halves, acknowledged) => {
      if (defect.name === 'one copy is enough') {
        return Math.max(...halves.voters.map((id) => acknowledged(id) ?? 0));
      }
      if (defect.name === 'the outgoing half does not commit') {
        return real.committedIndex(halves.voters, acknowledged);
      }
      return real.jointCommittedIndex(halves, acknowledged);
    },
    jointVoteResult: (halves, votes) =>
      defect.name === 'the outgoing half does not vote'
        ? real.voteResult(halves.voters, votes)
        : real.jointVoteResult(halves, votes),
  };
});

vi.mock(import('../../src/raft/reconfigure.js'), async (original) => {
  const real = await original();
  return {
    ...real,
    installConfiguration: (raft, configuration) => {
      if (defect.name !== 'a snapshot brings no configuration') {
        real.installConfiguration(raft, configuration);
      }
    },
  };
});

afterEach(() => {
  defect.name = '';
});

/** Changes what goes out. */
function onSend(change: (raft: Raft, message: PeerMessage) => PeerMessage): void {
  const { send } = Raft.prototype;
  vi.spyOn(Raft.prototype, 'send').mockImplementation(function (this: Raft, message) {
    send.call(this, change(this, message));
  });
}

/** Something that goes wrong at a tick. */
function onTick(act: (raft: Raft) => void): void {
  const { tick } = Node.prototype;
  vi.spyOn(Node.prototype, 'tick').mockImplementation(function (this: RawNode, nowMs) {
    act(coreOf(this));
    tick.call(this, nowMs);
  });
}

/** A leader rewrites the end of its log from `index` on. */
function rewrite(raft: Raft, index: number, change: (entry: Entry) => Entry): void {
  if (raft.role !== 'leader' || index <= raft.log.committed || index > raft.log.lastIndex) return;
  const [first, ...rest] = raft.log.slice(index, raft.log.lastIndex + 1, Infinity) as Entry[];
  raft.log.append([change(first!), ...rest]);
}

/** A field that a member cannot change. */
function fix(node: RawNode, name: keyof Raft, value: unknown): void {
  Object.defineProperty(coreOf(node), name, { get: () => value, set: () => undefined });
}

interface Defect {
  readonly rule: RegExp;
  readonly seeds: number;
  readonly prepare?: () => void;
  readonly onNode?: (node: RawNode) => void;
}

const defects: Readonly<Record<string, Defect>> = {
  'a candidate takes silence for consent': {
    rule: / R1: /,
    seeds: 20,
    prepare: () => {
      const { becomeCandidate } = Raft.prototype;
      vi.spyOn(Raft.prototype, 'becomeCandidate').mockImplementation(function (this: Raft) {
        becomeCandidate.call(this);
        for (const id of this.configuration.voters) this.votes.set(id, true);
      });
    },
  },
  'a leader takes its last entry back': {
    rule: / R17: /,
    seeds: 60,
    prepare: () => {
      vi.spyOn(Progress.prototype, 'check').mockReturnValue();
      onTick(({ log, role, term }) => {
        const at = log.lastIndex - 1;
        if (role !== 'leader' || at <= log.committed || log.term(at) !== term) return;
        log.append(log.slice(at, at + 1, Infinity) as Entry[]);
      });
    },
  },
  'a leader gives an entry other bytes': {
    rule: / R2: /,
    seeds: 60,
    prepare: () =>
      onTick((raft) =>
        rewrite(raft, raft.log.lastIndex, (e) => ({ ...e, data: Uint8Array.of(9) })),
      ),
  },
  'everybody votes for a log that is behind': {
    rule: / R3: /,
    seeds: 60,
    prepare: () => void vi.spyOn(RaftLog.prototype, 'isUpToDate').mockReturnValue(true),
  },
  'an entry is not applied': {
    rule: / R4: /,
    seeds: 20,
    prepare: () => {
      const { takeCommitted } = RaftLog.prototype;
      vi.spyOn(RaftLog.prototype, 'takeCommitted').mockImplementation(function (this: RaftLog) {
        const entries = takeCommitted.call(this);
        return entries.length > 1 ? entries.slice(1) : entries;
      });
    },
  },
  'a follower commits all it has': {
    rule: / R(3|4|6): /,
    seeds: 60,
    prepare: () => {
      const { step } = Node.prototype;
      vi.spyOn(Node.prototype, 'step').mockImplementation(function (this: RawNode, message) {
        step.call(this, message);
        const { log, role } = coreOf(this);
        if (message.kind === 'append-request' && role === 'follower') log.commitTo(log.lastIndex);
      });
    },
  },
  'one copy is enough': { rule: / R5: /, seeds: 20 },
  'the outgoing half does not commit': { rule: / R5: /, seeds: 150 },
  'the outgoing half does not vote': { rule: / R1: /, seeds: 150 },
  'a vote is forgotten': {
    rule: / R(7|9): /,
    seeds: 40,
    prepare: () => {
      const { step } = Node.prototype;
      vi.spyOn(Node.prototype, 'step').mockImplementation(function (this: RawNode, message) {
        const raft = coreOf(this);
        if (message.kind === 'vote-request' && raft.role === 'follower') raft.vote = 0;
        step.call(this, message);
      });
    },
  },
  'a candidate asks before its term is durable': {
    rule: / R10: /,
    seeds: 20,
    onNode: (node) => {
      coreOf(node).eagerVoteRequests = true;
    },
  },
  'a follower acknowledges all it has': {
    rule: / R10: /,
    seeds: 60,
    prepare: () =>
      onSend((raft, message) =>
        message.kind === 'append-response' && message.hint === undefined
          ? { ...message, index: raft.log.lastIndex }
          : message,
      ),
  },
  'reads are answered without asking': {
    rule: / R15: /,
    seeds: 60,
    prepare: () => {
      const { takeConfirmed } = ReadQueue.prototype;
      vi.spyOn(ReadQueue.prototype, 'takeConfirmed').mockImplementation(function (this: ReadQueue) {
        return takeConfirmed.call(this, { voters: [], votersOutgoing: [] });
      });
    },
  },
  'a lease is longer than what was pledged': {
    rule: / R15: /,
    seeds: 300,
    onNode: (node) => {
      coreOf(node).leaseMs *= 20;
    },
  },
  'changes are not waited for': {
    rule: / (R14:|§20\.29) /,
    seeds: 20,
    onNode: (node) => fix(node, 'pendingConfIndex', 0),
  },
  'the commit index goes back': {
    rule: / R7: /,
    seeds: 20,
    prepare: () =>
      onTick(({ log }) => {
        if (log.committed > log.applying) log.committed -= 1;
      }),
  },
  'acknowledged messages stay in the window': {
    rule: /§20\.24 /,
    seeds: 20,
    prepare: () => void vi.spyOn(Inflights.prototype, 'freeTo').mockReturnValue(),
  },
  'a leader takes more for acknowledged than was': {
    rule: / (R5:|§20\.25) /,
    seeds: 60,
    prepare: () => {
      const { maybeUpdate } = Progress.prototype;
      vi.spyOn(Progress.prototype, 'maybeUpdate').mockImplementation(function (
        this: Progress,
        index,
      ) {
        return maybeUpdate.call(this, Math.max(index, Math.min(this.next - 1, index + 1)));
      });
    },
  },
  'heartbeats tell everybody the whole commit index': {
    rule: /§20\.26 /,
    seeds: 20,
    prepare: () =>
      onSend((raft, message) =>
        message.kind === 'heartbeat-request' ? { ...message, commit: raft.log.committed } : message,
      ),
  },
  'a snapshot brings no configuration': { rule: / C5: /, seeds: 60 },
  'a late change is made to the configuration of a snapshot': {
    rule: / C5: /,
    seeds: 600,
    onNode: (node) => fix(node, 'overtaken', undefined),
  },
  'proposals are taken while handing over': {
    rule: /§20\.28 /,
    seeds: 60,
    prepare: () => {
      const { propose } = Node.prototype;
      vi.spyOn(Node.prototype, 'propose').mockImplementation(function (this: RawNode, commands) {
        const raft = coreOf(this);
        const { transferee } = raft;
        raft.transferee = 0;
        try {
          return propose.call(this, commands);
        } finally {
          raft.transferee = transferee;
        }
      });
    },
  },
  'applied bytes still count as uncommitted': {
    rule: /§20\.30 /,
    seeds: 20,
    onNode: (node) => {
      let bytes = 0;
      Object.defineProperty(coreOf(node), 'uncommittedBytes', {
        get: () => bytes,
        set: (now: number) => {
          bytes = Math.max(bytes, now);
        },
      });
    },
  },
  'the apply budget is given back too early': {
    rule: /§20\.31 /,
    seeds: 60,
    prepare: () => {
      const { appliedTo } = RaftLog.prototype;
      vi.spyOn(RaftLog.prototype, 'appliedTo').mockImplementation(function (
        this: RaftLog,
        index,
        bytes,
      ) {
        appliedTo.call(this, index, bytes * 3);
      });
    },
  },
  'reads are answered last first': {
    rule: /§20\.32 /,
    seeds: 60,
    prepare: () => {
      const { takeConfirmed } = ReadQueue.prototype;
      vi.spyOn(ReadQueue.prototype, 'takeConfirmed').mockImplementation(function (
        this: ReadQueue,
        voters,
      ) {
        return [...takeConfirmed.call(this, voters)].reverse();
      });
    },
  },
  'pledges do not wait for the disk': {
    rule: /§20\.33 /,
    seeds: 20,
    onNode: (node) => {
      const raft = coreOf(node);
      Object.defineProperty(raft, 'afterPersist', {
        get: () => raft.messages,
        set: () => undefined,
      });
    },
  },
  'there is always something to do': {
    rule: /§20\.34 /,
    seeds: 5,
    prepare: () => void vi.spyOn(Node.prototype, 'hasReady').mockReturnValue(true),
  },
  'votes need not be synced': {
    rule: /§20\.35 /,
    seeds: 5,
    prepare: () => {
      const { ready } = Node.prototype;
      vi.spyOn(Node.prototype, 'ready').mockImplementation(function (this: RawNode) {
        const taken = ready.call(this);
        const { append } = taken;
        return append === undefined ? taken : { ...taken, append: { ...append, mustSync: false } };
      });
    },
  },
  'learners campaign': {
    rule: / R13: /,
    seeds: 60,
    prepare: () => void vi.spyOn(Raft.prototype, 'promotable', 'get').mockReturnValue(true),
  },
  'there is never a snapshot to send': {
    rule: /liveness/,
    seeds: 60,
    onNode: (node) => {
      Object.defineProperty(coreOf(node).config, 'latestSnapshot', { value: () => undefined });
    },
  },
  'a lease outlives a handover': {
    rule: / R15: /,
    seeds: 600,
    prepare: () => void vi.spyOn(LeaderLease.prototype, 'revoke').mockReturnValue(),
  },
};

describe('defects are found', () => {
  test.each(Object.entries(defects))('%s', (name, { rule, seeds, prepare, onNode }) => {
    defect.name = name;
    prepare?.();
    const others = new Map<string, number>();
    for (let seed = 1; seed <= seeds; seed += 1) {
      try {
        runSeed(seed, onNode);
      } catch (error) {
        const [line = ''] = (error as Error).message.split('\n');
        if (rule.test(line)) {
          if (process.env.KONTIKI_VERBOSE) console.log(`${name}: ${line}`);
          return;
        }
        others.set(line, (others.get(line) ?? 0) + 1);
      }
    }
    expect.fail(`not found by ${rule}: ${JSON.stringify([...others].slice(0, 5))}`);
  });
});
