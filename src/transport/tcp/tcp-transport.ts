/**
 * Transport over TCP sockets, encrypted or not. Each member connects to every other and sends on its
 * own connections only, so two members share two connections and those for snapshots, and neither has
 * to agree with the other on which one to keep. docs/adr/0007-peer-protocol.md has the protocol,
 * docs/adr/0016-peer-security.md what protects it.
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
import { inquiryHello } from '../handshake.js';
import { listedPeers, type PeerAddresses } from '../listed-peers.js';
import type { TlsOptions } from '../tls-options.js';
import type { MemberIdentity, Transport, TransportHandlers } from '../transport.js';
import { Acceptor } from './acceptor.js';
import { dial } from './dial.js';
import { Lookups } from './lookups.js';
import { OpenSockets } from './open-sockets.js';
import { PeerLinks } from './peer-links.js';
import { probePeer } from './probe.js';
import { defaultTimes, type TcpContext, type TcpTimes } from './tcp-context.js';
import { TlsCredentials } from './tls-credentials.js';

/** Options of {@link TcpTransport}. @since 0.1.0 */
export interface TcpTransportOptions {
  /** `host:port` to bind; port 0 takes a free one, see {@link TcpTransport.address}. */
  readonly listen: string;
  /**
   * `host:port` of every member by id; this member itself may be among them. A function is asked
   * when `probe` and `start` are called.
   */
  readonly peers: PeerAddresses;
  readonly timers: Timers;
  /** Spreads the attempts to reconnect. */
  readonly random: Random;
  /** Default: the portable one; zlib's is several times faster on large messages. */
  readonly crc32?: Crc32;
  /** Encrypts and proves who is who; on all members or on none. Default: neither. */
  readonly tls?: TlsOptions | undefined;
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
 * // systemTimers and SystemRandom of kontiki/node
 * const platform = { timers: systemTimers, random: new SystemRandom() };
 * const transport = new TcpTransport({ listen: '10.0.0.1:7000', peers, ...platform });
 */
export class TcpTransport implements Transport {
  readonly #options: TcpTransportOptions;
  readonly #context: TcpContext;
  readonly #listen: Address;
  readonly #server: Server;
  readonly #acceptor: Acceptor;
  readonly #links = new Map<MemberId, PeerLinks>();
  /** Members, as far as their addresses are known. */
  readonly #listed = new Map<MemberId, Address>();
  /** Where members said they are, which the list may not know yet. */
  readonly #said = new Map<MemberId, Address>();
  /** Those of `updatePeers` before `start`. */
  #updated: ReadonlyMap<MemberId, string | undefined> | undefined;
  #self: MemberIdentity | undefined;
  #handlers: TransportHandlers | undefined;
  #started = false;
  #listening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {KontikiError} OPTIONS_INVALID when `listen` is no address, or `tls` can not be used */
  constructor(options: TcpTransportOptions) {
    this.#options = options;
    this.#listen = parseAddress(options.listen);
    this.#context = {
      timers: options.timers,
      random: options.random,
      crc32: options.crc32 ?? crc32,
      times: { ...defaultTimes, ...options.times },
      sockets: new OpenSockets(),
      lookups: new Lookups(),
      tls: options.tls && new TlsCredentials(options.tls, (error) => this.#onStale(error)),
      queueBytesMax: options.queueBytesMax ?? limits.peerQueueBytesMax,
    };
    this.#acceptor = new Acceptor(this.#context, (peer) => this.#hostOf(peer));
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
    this.#handlers = handlers;
    if (this.#closing !== undefined) return;
    this.#self = self;
    for (const [peer, address] of this.#peersOf(self)) this.#listed.set(peer, address);
    for (const [peer, address] of this.#listed) this.#link(peer, address);
    this.#acceptor.start(self, {
      admit: (peer, probe) => handlers.admit(peer, probe),
      onOpened: (peer) => this.#meet(peer),
      onIncident: (incident) => handlers.onIncident?.(incident),
      onInquiry: async (question) => handlers.onInquiry?.(question),
      onMessage: (message) => handlers.onMessage(message),
    });
  }

  inquire(address: string, question: Uint8Array): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      dial({
        context: this.#context,
        address: parseAddress(address),
        hello: inquiryHello(question),
        timeoutMs: this.#context.times.handshakeMs,
        onDone: (result) => {
          if (result.kind === 'refused') reject(result.error);
          else resolve(result.kind === 'told' ? result.data : undefined);
        },
      });
    });
  }

  updatePeers(members: ReadonlyMap<MemberId, string | undefined>): void {
    const self = this.#self;
    if (self === undefined) {
      this.#updated = members;
      return;
    }
    for (const peer of [...this.#listed.keys()]) {
      if (members.has(peer)) continue;
      this.#listed.delete(peer);
      this.#said.delete(peer);
      this.#unlink(peer);
      this.#acceptor.drop(peer);
    }
    for (const [peer, text] of members) {
      if (peer === self.memberId || text === undefined) continue;
      const address = parseAddress(text);
      this.#listed.set(peer, address);
      if (this.#links.get(peer)?.leadTo(address)) continue;
      this.#unlink(peer);
      this.#link(peer, address);
    }
    const own = members.get(self.memberId);
    if (own !== undefined && own !== self.address) this.#introduce({ ...self, address: own });
  }

  /** A peer that was told of no address, or of another, could not answer: it is told again. */
  #introduce(self: MemberIdentity): void {
    this.#self = self;
    for (const [peer, { address }] of [...this.#links]) {
      this.#unlink(peer);
      this.#link(peer, this.#listed.get(peer) ?? address);
    }
  }

  /** A peer is answered where it says it is, unless it is found where the list says. */
  #meet(peer: MemberIdentity): void {
    this.#answerAt(peer);
    this.#links.get(peer.memberId)?.met(peer);
  }

  #answerAt({ memberId, address }: MemberIdentity): void {
    const at = addressOf(address);
    if (at === undefined) return;
    const link = this.#links.get(memberId);
    this.#said.set(memberId, at);
    if (this.#listed.has(memberId)) return link?.says(at);
    if (link?.leadTo(at)) return;
    this.#unlink(memberId);
    this.#link(memberId, at);
  }

  #link(peer: MemberId, address: Address): void {
    const [self, handlers] = [this.#self, this.#handlers];
    if (self === undefined || handlers === undefined || this.#closing !== undefined) return;
    const context = this.#context;
    const link = new PeerLinks({ context, self, peer, address, handlers });
    this.#links.set(peer, link);
    const said = this.#said.get(peer);
    if (said !== undefined) link.says(said);
  }

  #unlink(peer: MemberId): void {
    const link = this.#links.get(peer);
    if (link === undefined) return;
    link.close();
    this.#links.delete(peer);
    // In a turn of its own: the owner is in the middle of something.
    this.#context.timers.soon(() => {
      if (this.#closing === undefined) this.#handlers?.onLink(peer, false);
    });
  }

  send(message: WireMessage): void {
    this.#links.get(message.to)?.send(message);
  }

  flush(): void {
    for (const link of this.#links.values()) link.flush();
  }

  /**
   * Takes new certificates for connections to come; those that stand are left alone. Files that changed
   * are noticed without it.
   *
   * @param options - default: the same files, or bytes, as before
   * @throws {KontikiError} OPTIONS_INVALID, and nothing changes
   */
  reloadTls(options?: TlsOptions): void {
    const { tls } = this.#context;
    if (tls === undefined) {
      throw kontikiError('OPTIONS_INVALID', 'reloadTls: this transport was made without tls');
    }
    tls.reload(options);
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

  /** Where a peer's certificate has to be good for: one that is not listed proves where it says it is. */
  #hostOf({ memberId, address }: MemberIdentity): string | undefined {
    return (this.#listed.get(memberId) ?? addressOf(address))?.host;
  }

  #onStale(error: KontikiError): void {
    this.#handlers?.onIncident?.({ error, address: undefined, memberId: undefined });
  }

  #peersOf(self: MemberIdentity): [MemberId, Address][] {
    return listedPeers(this.#options.peers, this.#updated, self.memberId).map(([peer, address]) => {
      return [peer, parseAddress(address)];
    });
  }
}

/** What a peer says of itself may be anything. */
function addressOf(text: string | undefined): Address | undefined {
  try {
    return text === undefined ? undefined : parseAddress(text);
  } catch {
    return undefined;
  }
}

function listenError(error: NodeJS.ErrnoException, address: string): KontikiError {
  return error.code === 'EADDRINUSE'
    ? kontikiError('PORT_IN_USE', `${address} is in use by another process`, { cause: error })
    : kontikiError('TRANSPORT_IO', `can not listen on ${address}: ${error.message}`, {
        cause: error,
      });
}
