// How a member ends: closed by its owner, or stopped by its own parts or peers. One member whose
// peers, where it has any, are the test itself.
import { describe, expect, test, vi } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import { limits } from '../../src/base/limits.js';
import { Prng } from '../../src/base/prng.js';
import type { ForwardRequest, WireMessage } from '../../src/codec/wire-message.js';
import { Node, type PeerMemory } from '../../src/node/index.js';
import { commandBytesMax } from '../../src/node/named-command.js';
import { MemoryLogStore } from '../../src/storage/index.js';
import type { LogBatch } from '../../src/storage/log-store.js';
import { Cluster, identityOf, peerMemory } from './cluster.js';
import { command, RecordingMachine } from './recording-machine.js';
import { ScriptedTransport } from './scripted-transport.js';
import { VirtualTime } from './virtual-time.js';

const error = (code: string, outcome?: string) =>
  expect.objectContaining(outcome === undefined ? { code } : { code, outcome });

/** Fails when the test says so. */
class FragileLog extends MemoryLogStore {
  failure: unknown;
  closed = 0;
  override hasSpace = true;
  /** How often it was asked to look for space. */
  reserved = 0;
  /** What it was told that it may forget. */
  readonly applies: number[] = [];

  override applied(index: number): void {
    this.applies.push(index);
  }

  override async append(batch: LogBatch): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    return super.append(batch);
  }

  override async reserve(): Promise<boolean> {
    this.reserved += 1;
    return this.hasSpace;
  }

  override async close(): Promise<void> {
    this.closed += 1;
    return super.close();
  }
}

class Member {
  readonly time = new VirtualTime();
  readonly transport = new ScriptedTransport();
  readonly machine = new RecordingMachine();
  readonly log: FragileLog;
  readonly failures: unknown[] = [];
  node!: Node;

  constructor(voters: readonly number[] = [1]) {
    this.log = new FragileLog({ voters });
  }

  static async opened(voters?: readonly number[], memory?: PeerMemory): Promise<Member> {
    const member = new Member(voters);
    await member.open({}, memory);
    await member.time.run(1);
    return member;
  }

  async open(ticks: { readonly tickMs?: number } = {}, memory = peerMemory()): Promise<void> {
    const { time, transport, log, machine } = this;
    const env = { clock: time, timers: time, random: new Prng(1), transport };
    const parts = { env, identity: identityOf(1), log, stateMachine: machine, peerMemory: memory };
    this.node = await Node.open({ ...parts, ...ticks });
    this.node.on('failed', ({ error: failure }) => this.failures.push(failure));
  }

  propose(text: string, timeoutMs = 5_000): Promise<unknown> {
    const promise = this.node.propose(command(text), { timeoutMs });
    promise.catch(() => undefined);
    return promise;
  }

  /** A peer says something. */
  hear(message: WireMessage): void {
    this.transport.handlers.onMessage(message);
  }

  /** A peer passes proposals on to this member. */
  forward(term: number, id: number, ...commands: Uint8Array[]): void {
    this.hear({ kind: 'forward-request', from: 2, to: 1, term, id, commands });
  }

  /** Everything is let go of, once. */
  expectLetGo(): void {
    expect(this.node.status.lifecycle).toBe('closed');
    expect(this.transport.closed).toBeGreaterThan(0);
    expect([this.machine.closed, this.log.closed]).toEqual([1, 1]);
  }
}

describe('open', () => {
  test('the state machine can not open: both parts are closed, the transport is not started', async () => {
    const member = new Member();
    member.machine.failure = kontikiError('STATE_CORRUPT', 'damaged');
    await expect(member.open()).rejects.toEqual(error('STATE_CORRUPT'));
    expect([member.machine.closed, member.log.closed]).toEqual([1, 1]);
    expect([member.transport.isStarted, member.time.pending]).toEqual([false, 0]);
  });

  test('the state is ahead of the log -> WAL_CORRUPT, both parts closed', async () => {
    const member = new Member();
    member.machine.durableIndex = 3;
    await expect(member.open()).rejects.toEqual(error('WAL_CORRUPT'));
    expect([member.machine.closed, member.log.closed]).toEqual([1, 1]);
    expect([member.transport.isStarted, member.time.pending]).toEqual([false, 0]);
  });

  test.each([0, -1, Number.NaN, Infinity, 0.001])(
    'a tick of %s ms -> OPTIONS_INVALID',
    async (tickMs) => {
      const member = new Member();
      await expect(member.open({ tickMs })).rejects.toEqual(error('OPTIONS_INVALID'));
      expect([member.machine.closed, member.log.closed]).toEqual([1, 1]);
      expect([member.transport.isStarted, member.time.pending]).toEqual([false, 0]);
    },
  );
});

describe('a listener told that its leadership is lost, which closes the node', () => {
  async function listening() {
    const member = await Member.opened();
    const { value } = await member.time.settle(member.node.leadership().next());
    const closings: Promise<void>[] = [];
    const proposals: Promise<unknown>[] = [];
    value?.lost.addEventListener('abort', () => {
      proposals.push(member.propose('late'));
      closings.push(member.node.close());
    });
    return { member, closings, proposals };
  }

  test('as it closes: it waits for the same close, and what it proposes is CLOSED', async () => {
    const { member, closings, proposals } = await listening();
    await member.time.settle(member.node.close());
    await expect(Promise.all(closings)).resolves.toHaveLength(1);
    await expect(proposals[0]).rejects.toEqual(error('CLOSED', 'rejected'));
    member.expectLetGo();
  });

  test('as it fails: it waits until everything is let go of, and so does a close after it', async () => {
    const { member, closings, proposals } = await listening();
    member.node.fail(kontikiError('STORAGE_IO', 'bad sector'));
    closings.push(member.node.close());
    await expect(member.time.settle(Promise.all(closings))).resolves.toHaveLength(2);
    await expect(proposals[0]).rejects.toEqual(error('STORAGE_IO', 'rejected'));
    member.expectLetGo();
    expect(member.failures).toEqual([error('STORAGE_IO')]);
  });
});

describe('a state machine that throws at once when it is closed', () => {
  const broken = () => {
    const member = new Member();
    member.machine.closeFailure = new Error('no close');
    return member;
  };

  test('open fails: the reason is told, the log is let go of', async () => {
    const member = broken();
    member.machine.failure = kontikiError('STATE_CORRUPT', 'damaged');
    await expect(member.open()).rejects.toEqual(error('STATE_CORRUPT'));
    expect([member.machine.closed, member.log.closed]).toEqual([1, 1]);
  });

  test('close: the other parts are closed all the same', async () => {
    const member = broken();
    await member.open();
    await member.node.close();
    member.expectLetGo();
  });

  test('its apply failed before: the process goes on, everything is let go of', async () => {
    const member = broken();
    await member.open();
    member.machine.failure = new Error('out of memory');
    await expect(member.time.settle(member.propose('a'))).rejects.toBeDefined();
    await member.time.until(() => member.node.status.lifecycle === 'closed');
    member.expectLetGo();
  });
});

describe('what the log keeps in memory', () => {
  test('told once entries are applied, and not before', async () => {
    const member = await Member.opened();
    await member.time.settle(member.propose('a'));
    expect(member.log.applies.at(-1)).toBe(2);
    member.machine.hold();
    void member.propose('b');
    await member.time.run(10);
    expect(member.log.lastIndex()).toBe(3);
    expect(member.log.applies.at(-1)).toBe(2);
    member.machine.release();
    await member.time.run(10);
    expect(member.log.applies.at(-1)).toBe(3);
    await member.node.close();
  });
});

describe('close', () => {
  test('queued proposals are rejected, sent ones unknown, later ones CLOSED; nothing is left', async () => {
    const cluster = await Cluster.led();
    const leader = await cluster.elect();
    const [follower] = cluster.followers(leader);
    cluster.isolate(leader);
    const sent = cluster.propose(leader, 'sent');
    await cluster.time.run(1);
    const queued = cluster.propose(follower, 'queued');
    expect(cluster.node(leader).status.pendingProposals).toBe(1);
    await cluster.close();
    await expect(sent).rejects.toEqual(error('CLOSED', 'unknown'));
    await expect(queued).rejects.toEqual(error('CLOSED', 'rejected'));
    await expect(cluster.propose(leader, 'late')).rejects.toEqual(error('CLOSED', 'rejected'));
    await cluster.time.run(1);
    expect(cluster.time.pending).toBe(0);
    for (const id of cluster.ids) expect(cluster.node(id).status.lifecycle).toBe('closed');
  });

  test('twice, also at once: one end, and both wait for it', async () => {
    const member = await Member.opened();
    const both = [member.node.close(), member.node.close()];
    expect(member.node.status.lifecycle).toBe('closing');
    await Promise.all(both);
    await member.node.close();
    member.expectLetGo();
    expect(member.failures).toEqual([]);
  });

  test('waits for the batch that is being applied', async () => {
    const member = await Member.opened();
    member.machine.hold();
    const unknown = member.propose('a');
    await member.time.run(1);
    let isClosed = false;
    const closing = member.node.close().then(() => {
      isClosed = true;
    });
    await expect(unknown).rejects.toEqual(error('CLOSED', 'unknown'));
    await member.time.run(10);
    expect([isClosed, member.machine.closed]).toEqual([false, 0]);
    member.machine.release();
    await closing;
    expect(member.machine.applied).toEqual(['a']);
    member.expectLetGo();
  });

  test('waits for the peer that is being remembered', async () => {
    let finish = () => {};
    const memory: PeerMemory = {
      load: () => new Map(),
      save: () => {
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
    };
    const member = await Member.opened([1, 2, 3], memory);
    const admitted = member.transport.handlers.admit(identityOf(2), false);
    let isClosed = false;
    const closing = member.node.close().then(() => {
      isClosed = true;
    });
    await member.time.run(10);
    expect(isClosed).toBe(false);
    finish();
    await Promise.all([admitted, closing]);
    member.expectLetGo();
  });

  test('the transport fails to close: the other parts are closed all the same', async () => {
    const member = await Member.opened();
    member.transport.closeFailure = new Error('socket');
    await member.node.close();
    member.expectLetGo();
  });

  test('the commit index that was only in memory: on the disk afterwards', async () => {
    const member = await Member.opened();
    await member.time.settle(member.propose('a'));
    await member.node.close();
    expect(member.log.initialState().hardState.commit).toBe(2);
  });

  test('called by a listener in the middle of a turn: closed, nothing thrown', async () => {
    const member = new Member();
    await member.open();
    const closed = new Promise<void>((resolve) => {
      member.node.on('leader', () => void member.node.close().then(resolve));
    });
    await member.time.settle(closed);
    member.expectLetGo();
    expect([member.failures, member.time.uncaught]).toEqual([[], []]);
  });
});

describe('a part that fails', () => {
  test('the log store: told once, every call settled, everything let go of', async () => {
    const member = await Member.opened();
    await member.time.settle(member.propose('a'));
    member.log.failure = kontikiError('STORAGE_IO', 'bad sector');
    const sent = member.propose('b');
    await expect(member.time.settle(sent)).rejects.toEqual(error('STORAGE_IO', 'unknown'));
    await expect(member.propose('c')).rejects.toEqual(error('STORAGE_IO', 'rejected'));
    expect(member.failures).toEqual([member.log.failure]);
    expect(member.node.status.failure).toBe(member.log.failure);
    await member.time.until(() => member.node.status.lifecycle === 'closed');
    await member.node.close();
    member.expectLetGo();
    await member.time.run(5_000);
    expect([member.time.pending, member.failures.length]).toEqual([0, 1]);
  });

  test('the state machine: the same, and its own error is the cause', async () => {
    const member = await Member.opened();
    const broken = new Error('out of memory');
    member.machine.failure = broken;
    const sent = member.propose('a');
    await expect(member.time.settle(sent)).rejects.toMatchObject({ outcome: 'unknown' });
    expect(member.failures).toEqual([expect.objectContaining({ cause: broken })]);
    await member.node.close();
    member.expectLetGo();
  });

  test('the state machine of a follower: the others go on without it', async () => {
    const cluster = await Cluster.led();
    const leader = await cluster.elect();
    const [broken, other] = cluster.followers(leader);
    cluster.member(broken).machine.failure = new Error('out of memory');
    await cluster.time.settle(cluster.propose(leader, 'a'));
    await cluster.time.until(() => cluster.node(broken).status.failure !== undefined);
    expect(await cluster.time.settle(cluster.propose(other, 'b'))).toBe('did b');
    await cluster.close();
  });

  test('a failure while it is being closed: not told, the close goes on', async () => {
    const member = await Member.opened();
    member.log.failure = kontikiError('STORAGE_IO', 'bad sector');
    const sent = member.propose('a');
    const closing = member.node.close();
    await expect(sent).rejects.toMatchObject({ outcome: 'rejected' });
    await closing;
    expect(member.failures).toEqual([]);
    member.expectLetGo();
  });
});

describe('a listener that throws', () => {
  test('does not stop the member; its error comes up by itself', async () => {
    const member = new Member();
    await member.open();
    const thrown = new Error('a bug of the listener');
    member.node.on('role', () => {
      throw thrown;
    });
    expect(await member.time.settle(member.propose('a'))).toBe('did a');
    await member.time.run(1);
    expect(member.time.uncaught.length).toBeGreaterThan(0);
    expect(new Set(member.time.uncaught)).toEqual(new Set([thrown]));
    expect(member.failures).toEqual([]);
    await member.node.close();
  });

  test('of the failure itself: the member is let go of all the same', async () => {
    const member = new Member();
    await member.open();
    member.node.on('failed', () => {
      throw new Error('a bug of the listener');
    });
    member.machine.failure = new Error('broken');
    await expect(member.time.settle(member.propose('a'))).rejects.toBeDefined();
    await member.node.close();
    member.expectLetGo();
    await member.time.run(1);
    expect(member.time.uncaught).toHaveLength(1);
  });
});

describe('peers', () => {
  test('one remembers this member in another directory: it stops, before it can vote twice', async () => {
    const member = await Member.opened([1, 2, 3]);
    const refused = vi.fn();
    member.node.on('refused', refused);
    const changed = kontikiError('MEMBER_IDENTITY_CHANGED', 'another directory');
    member.transport.handlers.onRefused(2, changed);
    expect(refused).toHaveBeenCalledWith({ memberId: 2, error: changed });
    expect(member.failures).toEqual([changed]);
    await member.node.close();
    member.expectLetGo();
  });

  test('one refuses for another reason: reported, nothing stops', async () => {
    const member = await Member.opened([1, 2, 3]);
    const refused = vi.fn();
    member.node.on('refused', refused);
    const unknown = kontikiError('MEMBER_UNKNOWN', 'who are you');
    member.transport.handlers.onRefused(2, unknown);
    expect(refused).toHaveBeenCalledTimes(1);
    expect([member.failures, member.node.status.lifecycle]).toEqual([[], 'open']);
    await member.node.close();
  });

  test('messages that nobody should have sent: ignored', async () => {
    const member = await Member.opened();
    const ends = { from: 9, to: 1, term: 1 };
    member.hear({ ...ends, kind: 'append-response', index: 1 });
    member.hear({ ...ends, to: 5, kind: 'heartbeat-request', commit: 0, reads: 0, sentAt: 0 });
    member.hear({ ...ends, kind: 'storage-append-response', last: { term: 1, index: 9 } } as never);
    member.hear({ ...ends, kind: 'forward-refusal', id: 77, code: 'NOT_LEADER' });
    await member.time.run(1);
    expect(await member.time.settle(member.propose('a'))).toBe('did a');
    await member.node.close();
  });

  test('more messages in one turn than the inbox holds: the rest is dropped', async () => {
    const member = await Member.opened();
    member.transport.sent.length = 0;
    for (let id = 1; id <= limits.inboxMessagesMax + 1; id += 1)
      member.forward(0, id, new Uint8Array(1));
    await member.time.run(1);
    const refusals = member.transport.of('forward-refusal').map(({ id }) => id);
    expect(refusals).toHaveLength(limits.inboxMessagesMax);
    expect(refusals.at(-1)).toBe(limits.inboxMessagesMax);
    await member.node.close();
  });
});

describe('proposals of others', () => {
  const bytes = (text: string) => command(text)({ session: 9, seq: 1, doneBelow: 1 });

  test('meant for the term it leads: appended, not answered', async () => {
    const member = await Member.opened();
    const { term } = member.node.status.raft;
    member.forward(term, 5, bytes('a'), bytes('b'));
    await member.time.run(1);
    expect(member.machine.applied).toEqual(['a', 'b']);
    expect(member.transport.of('forward-refusal')).toEqual([]);
    await member.node.close();
  });

  test.each([-1, 1])('meant for its term %i: refused by name, never appended', async (by) => {
    const member = await Member.opened();
    const term = member.node.status.raft.term + by;
    member.forward(term, 5, bytes('a'));
    await member.time.run(1);
    const refusal = { kind: 'forward-refusal', from: 1, to: 2, term, id: 5, code: 'NOT_LEADER' };
    expect(member.transport.of('forward-refusal')).toEqual([refusal]);
    expect(member.machine.applied).toEqual([]);
    await member.node.close();
  });

  test('to a member that does not lead: refused', async () => {
    const member = await Member.opened([1, 2, 3]);
    member.forward(0, 5, bytes('a'));
    await member.time.run(1);
    expect(member.transport.of('forward-refusal')).toMatchObject([{ id: 5, code: 'NOT_LEADER' }]);
    await member.node.close();
  });

  test('no commands at all: ignored, not a reason to stop', async () => {
    const member = await Member.opened();
    member.forward(member.node.status.raft.term, 5);
    await member.time.run(1);
    expect(member.node.status.lifecycle).toBe('open');
    await member.node.close();
  });

  test('as long as a command may be: appended; one byte more, in one or several: refused, never appended', async () => {
    const member = await Member.opened();
    const { term } = member.node.status.raft;
    const last = member.log.lastIndex();
    member.forward(term, 5, new Uint8Array(commandBytesMax + 1));
    member.forward(term, 6, new Uint8Array(commandBytesMax), bytes('a').subarray(0, 1));
    await member.time.run(1);
    expect(member.log.lastIndex()).toBe(last);
    member.forward(term, 7, new Uint8Array(commandBytesMax));
    await member.time.run(1);
    expect(member.log.lastIndex()).toBe(last + 1);
    expect(member.transport.of('forward-refusal')).toMatchObject([
      { id: 5, code: 'PROPOSAL_DROPPED' },
      { id: 6, code: 'PROPOSAL_DROPPED' },
    ]);
    await member.node.close();
  });

  test('more than the leader may hold unapplied: refused; its own are OVERLOADED', async () => {
    const member = await Member.opened();
    const { term } = member.node.status.raft;
    await member.time.settle(member.propose('first'));
    member.machine.hold();
    const count = limits.uncommittedBytesMax / limits.appendBytesMax;
    for (let nth = 1; nth <= count; nth += 1) {
      member.forward(term, nth, new Uint8Array(limits.appendBytesMax));
    }
    await member.time.run(1);
    member.forward(term, count + 1, bytes('a'));
    const own = member.propose('b');
    await expect(member.time.settle(own)).rejects.toEqual(error('OVERLOADED', 'rejected'));
    expect(member.transport.of('forward-refusal')).toMatchObject([
      { id: count + 1, code: 'PROPOSAL_DROPPED' },
    ]);
    member.machine.release();
    await member.time.run(1);
    expect(await member.time.settle(member.propose('c'))).toBe('did c');
    await member.node.close();
  });

  test('to a leader whose log finds no space: refused as its own are, until there is some', async () => {
    const member = await Member.opened();
    const { term } = member.node.status.raft;
    await member.time.settle(member.propose('first'));
    member.log.hasSpace = false;
    const last = member.log.lastIndex();
    member.forward(term, 5, bytes('a'));
    const own = member.propose('b');
    await expect(member.time.settle(own)).rejects.toEqual(error('NO_SPACE', 'rejected'));
    expect(member.transport.of('forward-refusal')).toMatchObject([{ id: 5, code: 'NO_SPACE' }]);
    expect(member.log.lastIndex()).toBe(last);
    expect(member.log.reserved).toBe(0);
    await member.time.run(250);
    expect(member.log.reserved).toBe(2);
    await member.time.settle(member.node.readIndex());
    member.log.hasSpace = true;
    expect(await member.time.settle(member.propose('c'))).toBe('did c');
    expect(member.machine.applied).toEqual(['first', 'c']);
    await member.node.close();
  });
});

describe('proposals to others', () => {
  /** A follower in term 3 of member 2, which the test is. */
  async function follower(linked = true): Promise<Member> {
    const member = await Member.opened([1, 2, 3]);
    if (linked) member.transport.handlers.onLink(2, true);
    member.hear({
      kind: 'heartbeat-request',
      from: 2,
      to: 1,
      term: 3,
      commit: 0,
      reads: 0,
      sentAt: 0,
    });
    await member.time.run(1);
    expect(member.node.status.leaderId).toBe(2);
    return member;
  }

  test('all that wait in one turn travel together, to the leader, with its term', async () => {
    const member = await follower();
    for (const text of ['a', 'b', 'c']) void member.propose(text);
    await member.time.run(1);
    const [request, ...rest] = member.transport.of('forward-request');
    expect(rest).toEqual([]);
    expect(request).toMatchObject({ from: 1, to: 2, term: 3, commands: { length: 3 } });
    await member.node.close();
  });

  test('refused: every one of them LEADER_CHANGED, OVERLOADED or NO_SPACE, rejected', async () => {
    const member = await follower();
    for (const [code, told] of [
      ['NOT_LEADER', 'LEADER_CHANGED'],
      ['PROPOSAL_DROPPED', 'OVERLOADED'],
      ['NO_SPACE', 'NO_SPACE'],
    ] as const) {
      const both = [member.propose('a'), member.propose('b')];
      await member.time.run(1);
      const { id } = member.transport.of('forward-request').at(-1) ?? { id: 0 };
      member.hear({ kind: 'forward-refusal', from: 2, to: 1, term: 3, id, code });
      await member.time.run(1);
      for (const one of both) await expect(one).rejects.toEqual(error(told, 'rejected'));
    }
    await member.node.close();
  });

  test('no connection to the leader: they wait for one instead of being lost', async () => {
    const member = await follower(false);
    void member.propose('a');
    await member.time.run(1);
    expect(member.transport.of('forward-request')).toEqual([]);
    member.transport.handlers.onLink(2, true);
    await member.time.run(1);
    expect(member.transport.of('forward-request')).toHaveLength(1);
    await member.node.close();
  });

  test('more than one message holds: several, in order; what is too much waits for an answer', async () => {
    const member = await follower();
    const large = 'x'.repeat(limits.appendBytesMax / 2 - 100);
    for (let nth = 0; nth < 5; nth += 1) member.propose(large).catch(() => undefined);
    await member.time.run(1);
    const requests = () => member.transport.of('forward-request');
    const sizes = () => requests().map(({ commands }) => commands.length);
    expect(sizes()).toEqual([2, 2]);
    const { from, to, term, id } = requests()[0] as ForwardRequest;
    const refusal = { kind: 'forward-refusal' as const, from: to, to: from, term, id };
    member.transport.handlers.onMessage({ ...refusal, code: 'PROPOSAL_DROPPED' });
    await member.time.run(1);
    expect(sizes()).toEqual([2, 2, 1]);
    expect(new Set(requests().map(({ id }) => id)).size).toBe(3);
    await member.node.close();
  });
});
