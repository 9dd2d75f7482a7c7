/** TCP transports on free ports of the loopback interface. */
import { systemTimers } from '../../../src/base/clock.js';
import { Prng } from '../../../src/base/prng.js';
import type { MemberId } from '../../../src/raft/types.js';
import { TcpTransport, type TcpTransportOptions } from '../../../src/transport/tcp/index.js';
import type { World } from '../worlds.js';

export class TcpWorld implements World {
  /** Where members are to be found. */
  readonly peers = new Map<MemberId, string>();
  readonly #options: Partial<TcpTransportOptions>;
  readonly #made: TcpTransport[] = [];

  /** @param options - in place of the defaults, which are quick for tests */
  constructor(options: Partial<TcpTransportOptions> = {}) {
    this.#options = options;
  }

  async make(member: MemberId, options: Partial<TcpTransportOptions> = {}): Promise<TcpTransport> {
    const transport = new TcpTransport({
      listen: this.peers.get(member) ?? '127.0.0.1:0',
      peers: () => this.peers,
      timers: systemTimers,
      random: new Prng(member),
      times: { reconnect: { minMs: 2, maxMs: 20 }, probeMs: 1_000, handshakeMs: 5_000 },
      ...this.#options,
      ...options,
    });
    await transport.listen();
    this.#made.push(transport);
    this.peers.set(member, transport.address);
    return transport;
  }

  misdirect(member: MemberId, actual: MemberId): void {
    this.peers.set(member, this.peers.get(actual) as string);
  }

  async end(): Promise<void> {
    await Promise.all(this.#made.map((transport) => transport.close()));
  }
}
