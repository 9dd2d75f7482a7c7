/** Networks for the transport suite: inside a process, and on virtual machines. */
import { systemTimers } from '../../src/base/clock.js';
import type { MemberId } from '../../src/raft/types.js';
import {
  Incarnation,
  Simulator,
  type SuiteRig,
  type TransportNetwork,
} from '../../src/testing/index.js';
import { MemoryHub, type MemoryHubOptions } from '../../src/transport/memory-hub.js';
import type { Transport } from '../../src/transport/transport.js';

/** A network that can be taken down. */
export interface World extends TransportNetwork {
  end(): Promise<void>;
}

/** The rig of a network that lives on the clock of this machine. */
export function realRig(world: World): SuiteRig<TransportNetwork> {
  return {
    open: async () => world,
    step: () => new Promise((resolve) => setTimeout(() => resolve(true), 1)),
    dispose: () => world.end(),
  };
}

export class MemoryWorld implements World {
  readonly hub: MemoryHub;
  readonly #peers = new Map<MemberId, string>();
  readonly #made: Transport[] = [];

  constructor(options: Partial<MemoryHubOptions> = {}) {
    const quick = { timers: systemTimers, retryMs: 2, queueBytesMax: 4 << 20 };
    this.hub = new MemoryHub({ ...quick, ...options });
  }

  async make(member: MemberId): Promise<Transport> {
    const address = `member:${member}`;
    const transport = this.hub.transport({ address, peers: () => this.#peers });
    this.#peers.set(member, address);
    await transport.listen();
    this.#made.push(transport);
    return transport;
  }

  misdirect(member: MemberId, actual: MemberId): void {
    this.#peers.set(member, this.#peers.get(actual) as string);
  }

  async end(): Promise<void> {
    for (const transport of this.#made) await transport.close();
  }
}

/** The simulated network; a transport of a member is that of another life of its machine. */
export function simulatedRig(seed: number): SuiteRig<TransportNetwork> {
  const sim = new Simulator({ seed, traceLines: 0 });
  let lives = 0;
  const network: TransportNetwork = {
    async make(member) {
      lives += 1;
      const life = new Incarnation(sim.scheduler, { machine: `n${member}`, number: lives });
      const transport = sim.network.transport(life);
      await transport.listen();
      return transport;
    },
  };
  return {
    open: async () => network,
    step: async () => {
      await sim.run(1);
      return true;
    },
    settle: (promise) => sim.complete(promise, 60_000),
  };
}
