/**
 * Every socket of a transport, so that none can throw into the process or outlive `close`.
 */
import type { Socket } from 'node:net';
import { Deferred } from '../../base/deferred.js';

/**
 * A set that sockets leave when they are closed.
 *
 * @since 0.1.0
 */
export class OpenSockets {
  readonly #sockets = new Set<Socket>();
  #emptied: Deferred<void> | undefined;

  /** Takes a socket that was just created. */
  add(socket: Socket): void {
    // What went wrong does not matter: 'close' always follows, and is what everybody acts upon.
    socket.on('error', () => {});
    socket.on('close', () => this.#remove(socket));
    this.#sockets.add(socket);
    if (this.#emptied !== undefined) socket.destroy();
  }

  /** Destroys all, now and in future; settles when none is left. */
  async close(): Promise<void> {
    this.#emptied ??= new Deferred();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#sockets.size === 0) this.#emptied.resolve();
    await this.#emptied.promise;
  }

  #remove(socket: Socket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size === 0) this.#emptied?.resolve();
  }
}
