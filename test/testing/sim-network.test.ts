// The simulated network: handshake, delivery, and its faults.
import { describe, expect, test } from 'vitest';
import { kontikiError } from '../../src/base/errors.js';
import type { WireMessage } from '../../src/codec/wire-message.js';
import type { PathOptions } from '../../src/testing/sim-path.js';
import { Simulator } from '../../src/testing/simulator.js';
import type { MemberIdentity, Transport } from '../../src/transport/transport.js';

interface Member {
  readonly name: string;
  readonly id: number;
  transport: Transport;
  /** Commit numbers of the heartbeats that arrived. */
  received: number[];
  readonly events: string[];
  admit: (peer: MemberIdentity, probe: boolean) => Promise<void>;
}

const dir = (id: number): string => String(id).padStart(32, '0');
const identity = (id: number): MemberIdentity => ({ clusterId: 9, memberId: id, dirId: dir(id) });

class Cluster {
  readonly sim: Simulator;
  readonly members: Member[] = [];

  constructor(seed: number, path: Partial<PathOptions> = {}) {
    this.sim = new Simulator({ seed, network: { path, linkTimeoutMs: 500 } });
  }

  async add(id: number, self = identity(id)): Promise<Member> {
    const name = `n${id}`;
    const { transport } = this.sim.machine(name).boot();
    const events: string[] = [];
    const admit = async (): Promise<void> => {};
    const member: Member = { name, id, transport, received: [], events, admit };
    this.members.push(member);
    await this.sim.complete(transport.listen(), 10);
    this.start(member, self);
    return member;
  }

  start(member: Member, self = identity(member.id)): void {
    const { events } = member;
    member.transport.start(self, {
      onMessage: (message) => {
        if (message.kind === 'heartbeat-request') member.received.push(message.commit);
        events.push(message.kind);
      },
      admit: (peer, probe) => {
        events.push(`admit ${peer.memberId}${probe ? ' probe' : ''}`);
        return member.admit(peer, probe);
      },
      onLink: (peer, up) => events.push(`${up ? 'up' : 'down'} ${peer}`),
      onRefused: (peer, error) => events.push(`refused ${peer} ${error.code}`),
      onIncident: ({ memberId, error }) => events.push(`incident ${memberId} ${error.code}`),
    });
  }

  async restart(member: Member): Promise<void> {
    member.transport = this.sim.machine(member.name).boot().transport;
    member.received = [];
    member.events.length = 0;
    await this.sim.complete(member.transport.listen(), 10);
    this.start(member);
  }
}

const heartbeat = (from: number, to: number, commit: number): WireMessage => ({
  kind: 'heartbeat-request',
  from,
  to,
  term: 1,
  commit,
  reads: 0,
  sentAt: 0,
});

const two = async (
  seed: number,
  path?: Partial<PathOptions>,
): Promise<{ cluster: Cluster; sim: Simulator; a: Member; b: Member }> => {
  const cluster = new Cluster(seed, path);
  const a = await cluster.add(1);
  const b = await cluster.add(2);
  await cluster.sim.run(200);
  return { cluster, sim: cluster.sim, a, b };
};

const sendMany = async (sim: Simulator, a: Member, count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) {
    a.transport.send(heartbeat(1, 2, n));
    if (n % 3 === 2) {
      a.transport.flush();
      await sim.run(0.2);
    }
  }
  a.transport.flush();
  await sim.run(100);
};

describe('links', () => {
  test('two members start -> each admits the other once, then both links stand', async () => {
    const { a, b } = await two(1);
    expect(a.events.sort()).toEqual(['admit 2', 'up 2']);
    expect(b.events.sort()).toEqual(['admit 1', 'up 1']);
  });

  test('a peer refuses -> it is told why, nothing is delivered, and it tries again', async () => {
    const cluster = new Cluster(2);
    const a = await cluster.add(1);
    a.admit = () => Promise.reject(kontikiError('MEMBER_IDENTITY_CHANGED', 'another directory'));
    const b = await cluster.add(2);
    await cluster.sim.run(200);
    b.transport.send(heartbeat(2, 1, 1));
    b.transport.flush();
    await cluster.sim.run(100);
    expect(a.received).toEqual([]);
    expect(a.events).toContain('up 2');
    const refusals = b.events.filter((event) => event === 'refused 1 MEMBER_IDENTITY_CHANGED');
    expect(refusals.length).toBeGreaterThan(1);
    expect(b.events.filter((event) => event === 'down 1')).toHaveLength(1);
    a.admit = async () => {};
    await cluster.sim.run(100);
    expect(b.events.at(-1)).toBe('up 1');
  });

  test('another cluster -> refused without asking the owner', async () => {
    const cluster = new Cluster(3);
    const a = await cluster.add(1);
    const b = await cluster.add(2, { ...identity(2), clusterId: 8 });
    await cluster.sim.run(200);
    expect(b.events).toContain('refused 1 CLUSTER_MISMATCH');
    expect(a.events).not.toContain('admit 2');
  });

  test('process crash -> peers see it at once; restart -> links stand again', async () => {
    const { cluster, sim, a, b } = await two(4);
    sim.machine('n2').crash('process');
    await sim.run(20);
    expect(a.events.at(-1)).toBe('down 2');
    await cluster.restart(b);
    await sim.run(200);
    expect(a.events.slice(-2).sort()).toEqual(['admit 2', 'up 2']);
    expect(b.events.sort()).toEqual(['admit 1', 'up 1']);
  });

  test('power loss -> peers see it after the timeout, or at the restart if that is earlier', async () => {
    const { cluster, sim, a, b } = await two(5);
    sim.machine('n2').crash('power');
    await sim.run(400);
    expect(a.events.at(-1)).toBe('up 2');
    await sim.run(200);
    expect(a.events.at(-1)).toBe('down 2');
    await cluster.restart(b);
    await sim.run(100);
    sim.machine('n2').crash('power');
    const before = a.events.length;
    await cluster.restart(b);
    await sim.run(100);
    expect(a.events.slice(before).filter((event) => !event.startsWith('admit'))).toEqual([
      'down 2',
      'up 2',
    ]);
  });

  test('close -> peers see it, the address is free, nothing more is told', async () => {
    const { sim, a, b } = await two(6);
    await sim.complete(b.transport.close(), 100);
    const before = b.events.length;
    a.transport.send(heartbeat(1, 2, 1));
    a.transport.flush();
    await sim.run(100);
    await sim.complete(b.transport.close(), 100);
    expect(a.events.at(-1)).toBe('down 2');
    expect(b.events).toHaveLength(before);
    sim.machine('n2').crash('process');
    await sim.complete(sim.machine('n2').boot().transport.listen(), 10);
  });

  test('probe -> the refusal of a peer, silence and absence pass, nothing is remembered', async () => {
    const cluster = new Cluster(7);
    const a = await cluster.add(1);
    const { transport } = cluster.sim.machine('n2').boot();
    const probe = (): Promise<void> => cluster.sim.complete(transport.probe(identity(2)), 1_000);
    await cluster.sim.complete(transport.listen(), 10);
    await probe();
    a.admit = () => Promise.reject(kontikiError('MEMBER_UNKNOWN', 'no such member'));
    await expect(probe()).rejects.toMatchObject({ code: 'MEMBER_UNKNOWN' });
    expect(a.events).toEqual(['admit 2 probe', 'admit 2 probe']);
    cluster.sim.network.isolate('n1');
    await probe();
    cluster.sim.machine('n1').crash();
    await probe();
  });
});

describe('delivery', () => {
  test('flushed messages -> all, once, in order, whatever the delay', async () => {
    const { sim, a, b } = await two(10, { delayMinUs: 0, delayMeanUs: 5_000 });
    await sendMany(sim, a, 300);
    expect(b.received).toEqual(Array.from({ length: 300 }, (_, n) => n));
  });

  test('not flushed, no link, unknown member -> nothing arrives, nothing throws', async () => {
    const { sim, a, b } = await two(11);
    a.transport.send(heartbeat(1, 2, 1));
    await sim.run(100);
    expect(b.received).toEqual([]);
    a.transport.send(heartbeat(1, 3, 1));
    a.transport.flush();
    await sim.run(100);
    expect(b.received).toEqual([1]);
  });

  test('drops -> about that share is lost, the rest in order', async () => {
    const { sim, a, b } = await two(12, { dropRate: 0.25 });
    await sendMany(sim, a, 1_000);
    expect(Math.abs(b.received.length - 750)).toBeLessThan(60);
    expect(b.received).toEqual([...b.received].sort((x, y) => x - y));
    expect(new Set(b.received).size).toBe(b.received.length);
  });

  test('duplicates -> about that share arrives twice', async () => {
    const { sim, a, b } = await two(13, { duplicateRate: 0.25 });
    await sendMany(sim, a, 1_000);
    expect(new Set(b.received).size).toBe(1_000);
    expect(Math.abs(b.received.length - 1_250)).toBeLessThan(60);
  });

  test('reorder -> all arrive, not in order', async () => {
    const { sim, a, b } = await two(14, { reorder: true, delayMeanUs: 2_000 });
    await sendMany(sim, a, 200);
    const sorted = [...b.received].sort((x, y) => x - y);
    expect(sorted).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(b.received).not.toEqual(sorted);
  });

  test('damage -> refused by name, the connection falls and rises, no damaged message is delivered', async () => {
    const { sim, a, b } = await two(16, { damageRate: 0.02 });
    for (let n = 0; n < 500; n += 1) {
      a.transport.send(heartbeat(1, 2, n));
      a.transport.flush();
      await sim.run(5);
    }
    const count = (member: Member, event: string) =>
      member.events.filter((each) => each === event).length;
    expect(count(b, 'incident 1 FRAME_INVALID')).toBeGreaterThan(2);
    expect(count(a, 'down 2')).toBeGreaterThanOrEqual(count(b, 'incident 1 FRAME_INVALID'));
    expect(a.events.at(-1)).toBe('up 2');
    expect(b.received.length).toBeGreaterThan(200);
    expect(b.received).toEqual([...new Set(b.received)].sort((x, y) => x - y));
  });

  test('damage in the middle of a flush -> what is behind it is lost, what is before is not', async () => {
    const { sim, a, b } = await two(17);
    sim.network.configure({ damageRate: 0.1 }, { from: 'n1', to: 'n2' });
    for (let n = 0; n < 100; n += 1) a.transport.send(heartbeat(1, 2, n));
    a.transport.flush();
    await sim.run(1_000);
    expect(b.received).toEqual(Array.from({ length: b.received.length }, (_, n) => n));
    expect(b.received.length).toBeLessThan(100);
    expect(b.events).toContain('incident 1 FRAME_INVALID');
  });

  test('a message keeps its bytes after the receive buffer is reused', async () => {
    const { sim, a, b } = await two(15);
    const seen: WireMessage[] = [];
    void b.transport;
    const machine = sim.machine('n3').boot();
    await sim.complete(machine.transport.listen(), 10);
    machine.transport.start(identity(3), {
      onMessage: (message) => seen.push(message),
      admit: async () => {},
      onLink: () => {},
      onRefused: () => {},
    });
    await sim.run(200);
    const entries = [{ term: 1, index: 1, type: 'normal' as const, data: Uint8Array.of(1, 2, 3) }];
    const message: WireMessage = {
      kind: 'append-request',
      from: 1,
      to: 3,
      term: 1,
      previous: { term: 0, index: 0 },
      entries,
      commit: 0,
    };
    a.transport.send(message);
    a.transport.flush();
    await sim.run(100);
    const [received] = seen;
    expect(received?.kind === 'append-request' && [...received.entries[0]!.data]).toEqual([
      1, 2, 3,
    ]);
  });
});

describe('partitions', () => {
  test('one direction blocked -> only the other gets through; silence breaks the links', async () => {
    const { sim, a, b } = await two(20);
    sim.network.block({ from: 'n1', to: 'n2' });
    a.transport.send(heartbeat(1, 2, 1));
    a.transport.flush();
    b.transport.send(heartbeat(2, 1, 2));
    b.transport.flush();
    await sim.run(100);
    expect([a.received, b.received]).toEqual([[2], []]);
    await sim.run(500);
    expect([a.events.at(-1), b.events.at(-1)]).toEqual(['down 2', 'down 1']);
    sim.network.heal();
    await sim.run(200);
    const last = (member: Member): string | undefined =>
      member.events.filter((event) => !event.startsWith('admit')).at(-1);
    expect([last(a), last(b)]).toEqual(['up 2', 'up 1']);
  });

  test('healed before the timeout -> the links stand; what was in flight is lost', async () => {
    const { sim, a, b } = await two(21, { delayMinUs: 5_000, delayMeanUs: 6_000 });
    a.transport.send(heartbeat(1, 2, 1));
    a.transport.flush();
    sim.network.partition(['n1'], ['n2']);
    await sim.run(300);
    sim.network.heal();
    await sim.run(1_000);
    expect(b.received).toEqual([]);
    expect([...a.events, ...b.events].filter((event) => event.startsWith('down'))).toEqual([]);
  });

  test('a member hears where it is now -> everybody is told, once', async () => {
    const cluster = new Cluster(1);
    const [a, b] = [await cluster.add(1), await cluster.add(2)];
    const told: (string | undefined)[] = [];
    b.admit = async ({ address }) => void told.push(address);
    await cluster.sim.run(200);
    const members = new Map([1, 2].map((id) => [id, `n${id}:1`]));
    a.transport.updatePeers(members);
    await cluster.sim.run(1_000);
    a.transport.updatePeers(members);
    await cluster.sim.run(1_000);
    expect(told).toEqual([undefined, 'n1:1']);
  });

  test('struck off the list while it is cut off -> its links end all the same, and it is told', async () => {
    const { sim, a, b } = await two(23);
    b.transport.updatePeers(new Map([1, 2].map((id) => [id, undefined])));
    b.admit = () => Promise.reject(kontikiError('MEMBER_REMOVED', 'was removed'));
    sim.network.partition(['n1'], ['n2']);
    b.transport.updatePeers(new Map([[2, undefined]]));
    await sim.run(300);
    sim.network.heal();
    await sim.run(1_000);
    expect(a.events).toContain('refused 2 MEMBER_REMOVED');
  });

  test('isolated -> the others still talk', async () => {
    const { cluster, sim, a, b } = await two(22);
    const c = await cluster.add(3);
    await sim.run(200);
    sim.network.isolate('n1');
    b.transport.send(heartbeat(2, 3, 1));
    b.transport.send(heartbeat(2, 1, 2));
    b.transport.flush();
    await sim.run(100);
    expect([c.received, a.received]).toEqual([[1], []]);
  });
});
