/**
 * Decides which incoming connections deliver: those of a member that the owner knows, one per
 * member, the newest. Those that have not said who they are are counted and bounded.
 */
import type { Socket } from 'node:net';
import { isKontikiError, type KontikiError, kontikiError } from '../../base/errors.js';
import { limits } from '../../base/limits.js';
import type { MemberId } from '../../raft/types.js';
import { formatAddress } from '../address.js';
import { refusalOf } from '../answer.js';
import { acceptanceOf, checkHello } from '../handshake.js';
import type { Hello, Lane } from '../hello.js';
import type { MemberIdentity, TransportHandlers } from '../transport.js';
import { IncomingConnection, type IncomingHandlers } from './incoming-connection.js';
import type { TcpContext } from './tcp-context.js';
import { TlsAcceptor } from './tls-acceptor.js';
import { certificateRefusal, chainRefusal } from './tls-refusal.js';

interface Owner {
  readonly self: MemberIdentity;
  readonly handlers: Pick<TransportHandlers, 'admit' | 'onIncident' | 'onInquiry' | 'onMessage'> & {
    /** The newest connection of a peer is open: what it says of itself is true, as far as anybody knows. */
    onOpened(peer: MemberIdentity): void;
  };
}

/**
 * All incoming connections of a transport.
 *
 * @since 0.1.0
 */
export class Acceptor {
  readonly #context: TcpContext;
  readonly #hostOf: (peer: MemberIdentity) => string | undefined;
  readonly #incoming: IncomingHandlers;
  readonly #tls: TlsAcceptor | undefined;
  #owner: Owner | undefined;
  #accepted = 0;
  /** In order of arrival; what it said, once it did. */
  readonly #pending = new Map<IncomingConnection, Hello | undefined>();
  readonly #open: Readonly<Record<Lane, Map<MemberId, IncomingConnection>>> = {
    log: new Map(),
    snapshots: new Map(),
  };

  /**
   * @param hostOf - where a peer is to be found, to which its certificate is held
   */
  constructor(context: TcpContext, hostOf: (peer: MemberIdentity) => string | undefined) {
    this.#context = context;
    this.#hostOf = hostOf;
    this.#tls = context.tls && new TlsAcceptor(context.tls);
    this.#incoming = {
      onHello: (connection, hello) => this.#onHello(connection, hello),
      onMessage: (message) => this.#owner?.handlers.onMessage(message),
      onFault: (connection, error) => this.#onFault(connection, error),
      onClosed: (connection) => this.#forget(connection),
    };
  }

  /** Takes a socket that was just accepted. Its hello is answered once there is an owner. */
  accept(socket: Socket): void {
    this.#context.sockets.add(socket);
    if (this.#hasTooMany(socket.remoteAddress)) return this.#turnAway(socket);
    this.#accepted += 1;
    const connection = new IncomingConnection({
      context: this.#context,
      socket,
      number: this.#accepted,
      handlers: this.#incoming,
    });
    this.#pending.set(connection, undefined);
    if (this.#tls === undefined) return connection.begin(socket);
    this.#tls.secure(socket, {
      onSecure: (secured) => {
        this.#context.sockets.add(secured);
        connection.begin(secured);
      },
      onRefused: (error) => this.#onFault(connection, error),
    });
  }

  /** Begins to answer, with those that waited first. */
  start(self: MemberIdentity, handlers: Owner['handlers']): void {
    this.#owner = { self, handlers };
    for (const [connection, hello] of [...this.#pending]) {
      if (hello !== undefined) void this.#admit(this.#owner, connection, hello);
    }
  }

  /** Closes all connections. */
  close(): void {
    const { log, snapshots } = this.#open;
    const open = [...log.values(), ...snapshots.values()];
    for (const connection of [...this.#pending.keys(), ...open]) connection.close();
  }

  /** Closes the connections of a member. */
  drop(member: MemberId): void {
    for (const open of Object.values(this.#open)) open.get(member)?.close();
  }

  #hasTooMany(host: string | undefined): boolean {
    if (this.#pending.size >= limits.pendingHandshakesMax) return true;
    const here = [...this.#pending.keys()].filter((connection) => connection.host === host);
    return here.length >= limits.pendingHandshakesPerHostMax;
  }

  #turnAway(socket: Socket): void {
    const { remoteAddress: host = 'unknown', remotePort: port = 0 } = socket;
    socket.destroy();
    const error = kontikiError('OVERLOADED', 'too many connections without a handshake');
    this.#owner?.handlers.onIncident?.({
      ...{ error, address: formatAddress({ host, port }), memberId: undefined },
    });
  }

  #onFault({ address, hello }: IncomingConnection, error: KontikiError): void {
    const memberId = hello?.inquiry === undefined ? hello?.from.memberId : undefined;
    this.#owner?.handlers.onIncident?.({ error, address, memberId });
  }

  #onHello(connection: IncomingConnection, hello: Hello): void {
    this.#pending.set(connection, hello);
    if (this.#owner !== undefined) void this.#admit(this.#owner, connection, hello);
  }

  /** Never rejects. */
  async #admit(
    { self, handlers }: Owner,
    connection: IncomingConnection,
    hello: Hello,
  ): Promise<void> {
    if (hello.inquiry !== undefined) return this.#tell(connection, hello.inquiry);
    let error: unknown = this.#distrust(connection, hello) ?? checkHello(hello, self);
    if (error === undefined) {
      try {
        await handlers.admit(hello.from, hello.probe);
      } catch (reason) {
        error = reason ?? new Error('not admitted');
      }
    }
    if (connection.isClosed) return;
    const acceptance = acceptanceOf(hello, self);
    if (error !== undefined) this.#refuse(connection, error);
    else if (hello.probe) connection.finish(acceptance);
    else if (!this.#replaceOlder(connection, hello)) connection.close();
    else {
      connection.open(acceptance);
      handlers.onOpened(hello.from);
    }
  }

  /**
   * Never rejects. Who asks is no member yet, so no address is known to hold its certificate to; that
   * one of our authorities signed it is enough to be told who the members are.
   */
  async #tell(connection: IncomingConnection, inquiry: Uint8Array): Promise<void> {
    const distrust = connection.secured && chainRefusal(connection.secured, 'one that would join');
    if (distrust !== undefined) return this.#refuse(connection, distrust);
    try {
      const data = await this.#owner?.handlers.onInquiry?.(inquiry);
      if (connection.isClosed) return;
      if (data === undefined) connection.close();
      else connection.finish({ kind: 'told', data });
    } catch {
      connection.close();
    }
  }

  /** Before anything else is said about a peer that may be anyone. */
  #distrust({ secured }: IncomingConnection, { from }: Hello): KontikiError | undefined {
    return secured && certificateRefusal(secured, from.memberId, this.#hostOf(from));
  }

  #refuse(connection: IncomingConnection, error: unknown): void {
    if (isKontikiError(error)) this.#onFault(connection, error);
    const refusal = refusalOf(error);
    if (refusal === undefined) connection.close();
    else connection.finish(refusal);
  }

  /** Makes `connection` the one that delivers, unless a newer one does already. */
  #replaceOlder(connection: IncomingConnection, { from, lane }: Hello): boolean {
    const open = this.#open[lane];
    const other = open.get(from.memberId);
    if (other !== undefined && other.number > connection.number) return false;
    other?.close();
    this.#pending.delete(connection);
    open.set(from.memberId, connection);
    return true;
  }

  #forget(connection: IncomingConnection): void {
    this.#pending.delete(connection);
    const { hello } = connection;
    if (hello === undefined) return;
    const open = this.#open[hello.lane];
    if (open.get(hello.from.memberId) === connection) open.delete(hello.from.memberId);
  }
}
