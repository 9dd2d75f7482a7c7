// Stores on a virtual clock, wired as `openStore` wires them, with everything in memory.
import { Prng } from '../../src/base/prng.js';
import { Node, type PeerMemory } from '../../src/node/index.js';
import type { MemberId } from '../../src/raft/types.js';
import { MemoryEngine, MemoryLogStore, WriteBehindBackend } from '../../src/storage/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { Store } from '../../src/store/store.js';
import type { StoreParts } from '../../src/store/store-parts.js';
import { MemoryHub } from '../../src/transport/index.js';
import { identityOf, peerMemory } from '../node/cluster.js';
import { VirtualTime } from '../node/virtual-time.js';

/** Fails where the test says so. */
export class FragileEngine extends MemoryEngine {
  writeFailure: unknown;
  readFailure: unknown;

  override async write(...args: Parameters<MemoryEngine['write']>): Promise<void> {
    if (this.writeFailure !== undefined) throw this.writeFailure;
    return super.write(...args);
  }

  override async getMany(...args: Parameters<MemoryEngine['getMany']>) {
    if (this.readFailure !== undefined) throw this.readFailure;
    return super.getMany(...args);
  }
}

export interface VirtualMember {
  readonly store: Store;
  readonly node: Node;
  readonly machine: StoreStateMachine;
  readonly engine: FragileEngine;
  readonly log: MemoryLogStore;
  readonly memory: PeerMemory;
}

export class VirtualStores {
  readonly time = new VirtualTime();
  readonly hub = new MemoryHub({ timers: this.time });
  readonly ids: readonly MemberId[];
  readonly members = new Map<MemberId, VirtualMember>();
  /** Of every store. */
  options: Partial<StoreParts> = {};
  #lives = 0;

  constructor(ids: readonly MemberId[]) {
    this.ids = ids;
  }

  /** Members 1 to `count`, with a leader that all know. */
  static async opened(count: number, options: Partial<StoreParts> = {}): Promise<VirtualStores> {
    const stores = new VirtualStores(Array.from({ length: count }, (_, nth) => nth + 1));
    stores.options = options;
    for (const id of stores.ids) await stores.open(id);
    const isLed = () => {
      const leaders = new Set(stores.ids.map((id) => stores.store(id).status().leader));
      return leaders.size === 1 && !leaders.has(undefined);
    };
    await stores.time.until(isLed);
    return stores;
  }

  async open(id: MemberId): Promise<Store> {
    const { time, hub, ids } = this;
    const before = this.members.get(id);
    const log = before?.log.reopen() ?? new MemoryLogStore({ voters: ids });
    const memory = before?.memory ?? peerMemory();
    const engine = new FragileEngine();
    const backend = await WriteBehindBackend.open({ engine, timers: time, flushIntervalMs: 50 });
    const machine = new StoreStateMachine(backend);
    const peers = new Map(ids.map((peer) => [peer, `m${peer}`]));
    const transport = hub.transport({ address: `m${id}`, peers });
    this.#lives += 1;
    const env = { clock: time, timers: time, random: new Prng(this.#lives), transport };
    await transport.listen();
    const parts = { env, identity: identityOf(id), log, stateMachine: machine };
    const node = await Node.open({ ...parts, peerMemory: memory });
    const memberNames = new Map(ids.map((each) => [each, `n${each}`]));
    const { clock, timers, random } = env;
    const own = { name: `n${id}`, node, machine, clock, timers, random, ...this.options };
    const store = new Store({ ...own, memberNames });
    this.members.set(id, { store, node, machine, engine, log, memory });
    return store;
  }

  member(id: MemberId): VirtualMember {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`member ${id} was not opened`);
    return member;
  }

  store(id: MemberId): Store {
    return this.member(id).store;
  }

  others(id: MemberId): MemberId[] {
    return this.ids.filter((other) => other !== id);
  }

  /** Cuts a member off from all others. */
  isolate(id: MemberId): void {
    for (const other of this.others(id)) this.hub.disconnect(id, other);
  }

  heal(): void {
    for (const a of this.ids) for (const b of this.ids) if (a < b) this.hub.connect(a, b);
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.time.settle(promise);
  }

  async close(): Promise<void> {
    const closing = [...this.members.values()].map(({ store }) => store.close());
    await this.time.settle(Promise.all(closing));
  }
}
