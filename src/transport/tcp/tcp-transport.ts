/**
 * Transport over TCP sockets. Each member connects to every other and sends on its own connections
 * only, so two members share two connections, and neither has to agree with the other on which one
 * to keep. docs/adr/0007-peer-protocol.md has the protocol.
 */
import { createServer, type Server } from 'node:net';
import { assert } from '../../base/assert.js';
import type { Timers } from '../../base/clock.js';
import { type Crc32, crc32 } from '../../base/crc32.js';
import { type KontikiError, kontikiError } from '../../base/errors.js';
import { limits } from '../../base/limits.js';
import type { Random } from '../../base/prng.js';
import type { WireMessage } from '../../codec/wire-message.js';
import type { MemberId } from '../../raft/types.js';
import { type Address, formatAddress, parseAddress } from '../address.js';
import { gravestRefusal } from '../answer.js';
import type { MemberIdentity, Transport, TransportHandlers } from '../transport.js';
import { Acceptor } from './acceptor.js';
import { OpenSockets } from './open-sockets.js';
import { OutgoingLink } from './outgoing-link.js';
import { probePeer } from './probe.js';
import { defaultTimes, type TcpContext, type TcpTimes } from './tcp-context.js';

/** Options of {@link TcpTransport}. @since 0.1.0 */
export interface TcpTransportOptions {
  /** `host:port` to bind; port 0 takes a free one, see {@link TcpTransport.address}. */
  readonly listen: string;
  /**
   * `host:port` of every member by id; this member itself may be among them. A function is asked
   * when `probe` and `start` are called.
   */
  readonly peers: ReadonlyMap<MemberId, string> | (() => ReadonlyMap<MemberId, string>);
  readonly timers: Timers;
  /** Spreads the attempts to reconnect. */
  readonly random: Random;
  /** Default: the portable one; zlib's is several times faster on large messages. */
  readonly crc32?: Crc32;
  readonly times?: Partial<TcpTimes>;
  /** Bytes waiting for one peer before messages are dropped; default `limits.peerQueueBytesMax`. */
  readonly queueBytesMax?: number;
}

/**
 * A {@link Transport} on TCP.
 *
 * @since 0.1.0
 * @example
 * const peers = new Map([[1, '10.0.0.1:7000'], [2, '10.0.0.2:7000'], [3, '10.0.0.3:7000']]);
 * const transport = new TcpTransport({ listen: '10.0.0.1:7000', peers, timers, random });
 */
export class TcpTransport implements Transport {
  readonly #options: TcpTransportOptions;
  readonly #context: TcpContext;
  readonly #listen: Address;
  readonly #server: Server;
  readonly #acceptor: Acceptor;
  readonly #links = new Map<MemberId, OutgoingLink>();
  #started = false;
  #listening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {KontikiError} OPTIONS_INVALID when `listen` is no address */
  constructor(options: TcpTransportOptions) {
    this.#options = options;
    this.#listen = parseAddress(options.listen);
    this.#context = {
      timers: options.timers,
      random: options.random,
      crc32: options.crc32 ?? crc32,
      times: { ...defaultTimes, ...options.times },
      sockets: new OpenSockets(),
      queueBytesMax: options.queueBytesMax ?? limits.peerQueueBytesMax,
    };
    this.#acceptor = new Acceptor(this.#context);
    const connection = { noDelay: true, keepAlive: true };
    this.#server = createServer(connection, (socket) => this.#acceptor.accept(socket));
  }

  /** The bound address as `host:port`, with the real port; as given while not listening. */
  get address(): string {
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') return this.#options.listen;
    return formatAddress({ host: this.#listen.host, port: bound.port });
  }

  listen(): Promise<void> {
    assert(this.#listening === undefined, 'a transport listens once');
    this.#listening = new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, this.#options.listen)));
      this.#server.listen({ ...this.#listen, exclusive: true }, () => {
        // From here on only accepting can fail, for want of file descriptors: the peer retries.
        this.#server.removeAllListeners('error').on('error', () => {});
        resolve();
      });
    });
    return this.#listening;
  }

  async probe(self: MemberIdentity): Promise<void> {
    const peers = this.#peersOf(self);
    const asked = peers.map((peer) => probePeer(this.#context, self, peer));
    const refusal = gravestRefusal(await Promise.all(asked));
    if (refusal !== undefined) throw refusal;
  }

  start(self: MemberIdentity, handlers: TransportHandlers): void {
    assert(!this.#started, 'a transport starts once');
    this.#started = true;
    if (this.#closing !== undefined) return;
    for (const [peer, address] of this.#peersOf(self)) {
      const context = this.#context;
      this.#links.set(peer, new OutgoingLink({ context, self, peer, address, handlers }));
    }
    this.#acceptor.start(self, handlers);
  }

  send(message: WireMessage): void {
    this.#links.get(message.to)?.send(message);
  }

  flush(): void {
    for (const link of this.#links.values()) link.flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const link of this.#links.values()) link.close();
    this.#acceptor.close();
    await this.#listening?.catch(() => {});
    const serverClosed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#context.sockets.close();
    await serverClosed;
  }

  #peersOf(self: MemberIdentity): [MemberId, Address][] {
    const { peers } = this.#options;
    return [...(typeof peers === 'function' ? peers() : peers)]
      .filter(([peer]) => peer !== self.memberId)
      .map(([peer, address]) => [peer, parseAddress(address)]);
  }
}

function listenError(error: NodeJS.ErrnoException, address: string): KontikiError {
  return error.code === 'EADDRINUSE'
    ? kontikiError('PORT_IN_USE', `${address} is in use by another process`, { cause: error })
    : kontikiError('TRANSPORT_IO', `can not listen on ${address}: ${error.message}`, {
        cause: error,
      });
}
