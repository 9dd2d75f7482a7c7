// Members on one virtual clock, with a network and logs in memory.
import { Prng } from '../../src/base/prng.js';
import { type KnownPeer, Node, type NodeOptions, type PeerMemory } from '../../src/node/index.js';
import type { MemberId } from '../../src/raft/types.js';
import { MemoryLogStore } from '../../src/storage/index.js';
import type { LogStore } from '../../src/storage/log-store.js';
import { MemoryHub, type Transport } from '../../src/transport/index.js';
import { command, RecordingMachine } from './recording-machine.js';
import { VirtualTime } from './virtual-time.js';

export const clusterId = 7;

export const identityOf = (memberId: MemberId) => {
  return { clusterId, memberId, dirId: `${memberId}`.padStart(32, '0') };
};

/** Remembers for as long as it lives. */
export function peerMemory(): PeerMemory {
  let known: ReadonlyMap<MemberId, KnownPeer> = new Map();
  return {
    load: () => known,
    save: async (saved) => {
      known = saved;
    },
  };
}

interface MemberState {
  log: LogStore;
  machine: RecordingMachine;
  readonly memory: PeerMemory;
  node: Node;
}

export class Cluster {
  readonly time = new VirtualTime();
  readonly hub = new MemoryHub({ timers: this.time });
  readonly members = new Map<MemberId, MemberState>();
  readonly ids: readonly MemberId[];
  #lives = 0;

  constructor(ids: readonly MemberId[] = [1, 2, 3]) {
    this.ids = ids;
  }

  /** Three members, opened, with a leader that all know. */
  static async led(): Promise<Cluster> {
    const cluster = new Cluster();
    for (const id of cluster.ids) await cluster.open(id);
    await cluster.elect();
    return cluster;
  }

  async open(
    id: MemberId,
    options: {
      readonly log?: LogStore;
      readonly machine?: RecordingMachine;
      readonly parts?: Partial<NodeOptions>;
      readonly env?: Partial<NodeOptions['env']>;
      /** Puts something in front of its transport. */
      readonly around?: (transport: Transport) => Transport;
    } = {},
  ): Promise<Node> {
    const { time, hub } = this;
    const before = this.members.get(id);
    const log = options.log ?? new MemoryLogStore({ voters: this.ids });
    const machine = options.machine ?? new RecordingMachine();
    const memory = before?.memory ?? peerMemory();
    const peers = new Map(this.ids.map((peer) => [peer, `m${peer}`]));
    const transport = hub.transport({ address: `m${id}`, peers });
    // Other numbers in each life, as on a real machine: sessions must not come again.
    this.#lives += 1;
    const random = new Prng(this.#lives);
    const around = options.around?.(transport) ?? transport;
    const env = { clock: time, timers: time, random, transport: around, ...options.env };
    const identity = identityOf(id);
    const own: NodeOptions = { env, identity, log, stateMachine: machine, peerMemory: memory };
    const parts: NodeOptions = { ...own, ...options.parts };
    await transport.listen();
    const node = await Node.open(parts);
    this.members.set(id, { log, machine, memory, node });
    return node;
  }

  /** Closes a member and opens it again over what it left. */
  async restart(id: MemberId): Promise<Node> {
    const { node, log, machine } = this.member(id);
    await this.time.settle(node.close());
    return this.open(id, { log: (log as MemoryLogStore).reopen(), machine });
  }

  member(id: MemberId): MemberState {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`member ${id} was not opened`);
    return member;
  }

  node(id: MemberId): Node {
    return this.member(id).node;
  }

  texts(id: MemberId): readonly string[] {
    return this.member(id).machine.applied;
  }

  /** Waits until one of `ids` leads and all of them know it. */
  async elect(ids: readonly MemberId[] = this.ids): Promise<MemberId> {
    const leaderOf = (): MemberId | undefined => {
      const leaders = new Set(ids.map((id) => this.node(id).status.leaderId));
      const [leader] = leaders;
      return leaders.size === 1 && leader !== undefined && ids.includes(leader)
        ? leader
        : undefined;
    };
    await this.time.until(() => leaderOf() !== undefined);
    return leaderOf() as MemberId;
  }

  followers(leader: MemberId): [MemberId, MemberId] {
    return this.ids.filter((id) => id !== leader) as [MemberId, MemberId];
  }

  propose(id: MemberId, text: string, timeoutMs = 5_000, signal?: AbortSignal): Promise<unknown> {
    const promise = this.node(id).propose(command(text), { timeoutMs, signal });
    promise.catch(() => undefined);
    return promise;
  }

  /** Cuts a member off from all others, or lets it back. */
  isolate(id: MemberId): void {
    for (const other of this.ids) if (other !== id) this.hub.disconnect(id, other);
  }

  heal(): void {
    for (const a of this.ids) for (const b of this.ids) if (a < b) this.hub.connect(a, b);
  }

  /** Waits until all of `ids` have applied the same number of texts. */
  async caughtUp(count: number, ids: readonly MemberId[] = this.ids): Promise<void> {
    await this.time.until(() => ids.every((id) => this.texts(id).length >= count));
  }

  async close(): Promise<void> {
    const closing = [...this.members.values()].map(({ node }) => node.close());
    await this.time.settle(Promise.all(closing));
  }
}
