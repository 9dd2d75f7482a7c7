/**
 * Decides which incoming connections deliver: those of a member that the owner knows, one per
 * member, the newest. Those that have not said who they are are counted and bounded.
 */
import type { Socket } from 'node:net';
import { limits } from '../../base/limits.js';
import type { MemberId } from '../../raft/types.js';
import { refusalOf } from '../answer.js';
import { acceptanceOf, checkHello } from '../handshake.js';
import type { Hello } from '../hello.js';
import type { MemberIdentity, TransportHandlers } from '../transport.js';
import { IncomingConnection, type IncomingHandlers } from './incoming-connection.js';
import type { TcpContext } from './tcp-context.js';

interface Owner {
  readonly self: MemberIdentity;
  readonly handlers: Pick<TransportHandlers, 'admit' | 'onMessage'>;
}

/**
 * All incoming connections of a transport.
 *
 * @since 0.1.0
 */
export class Acceptor {
  readonly #context: TcpContext;
  readonly #incoming: IncomingHandlers;
  #owner: Owner | undefined;
  #accepted = 0;
  /** In order of arrival; what it said, once it did. */
  readonly #pending = new Map<IncomingConnection, Hello | undefined>();
  readonly #open = new Map<MemberId, IncomingConnection>();

  constructor(context: TcpContext) {
    this.#context = context;
    this.#incoming = {
      onHello: (connection, hello) => this.#onHello(connection, hello),
      onMessage: (message) => this.#owner?.handlers.onMessage(message),
      onClosed: (connection) => this.#forget(connection),
    };
  }

  /** Takes a socket that was just accepted. Its hello is answered once there is an owner. */
  accept(socket: Socket): void {
    this.#context.sockets.add(socket);
    if (this.#pending.size >= limits.pendingHandshakesMax) {
      socket.destroy();
      return;
    }
    this.#accepted += 1;
    const connection = new IncomingConnection({
      context: this.#context,
      socket,
      number: this.#accepted,
      handlers: this.#incoming,
    });
    this.#pending.set(connection, undefined);
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
    for (const connection of [...this.#pending.keys(), ...this.#open.values()]) connection.close();
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
    let error: unknown = checkHello(hello, self);
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
    else if (this.#replaceOlder(connection, hello.from.memberId)) connection.open(acceptance);
    else connection.close();
  }

  #refuse(connection: IncomingConnection, error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal === undefined) connection.close();
    else connection.finish(refusal);
  }

  /** Makes `connection` the one that delivers, unless a newer one does already. */
  #replaceOlder(connection: IncomingConnection, peer: MemberId): boolean {
    const other = this.#open.get(peer);
    if (other !== undefined && other.number > connection.number) return false;
    other?.close();
    this.#pending.delete(connection);
    this.#open.set(peer, connection);
    return true;
  }

  #forget(connection: IncomingConnection): void {
    this.#pending.delete(connection);
    const { peer } = connection;
    if (peer !== undefined && this.#open.get(peer) === connection) this.#open.delete(peer);
  }
}
