/**
 * The server's half of TLS, on sockets that somebody else has accepted, counted and given a deadline.
 */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { KontikiError } from '../../base/errors.js';
import type { TlsCredentials, TlsMaterial } from './tls-credentials.js';
import { tlsRefusalOf } from './tls-refusal.js';

/** What becomes of a socket. @since 0.1.0 */
export interface SecureHandlers {
  /** The connection is encrypted; nothing is known about the other side's certificate. */
  onSecure(socket: TLSSocket): void;
  /** It will never be, and is being closed. */
  onRefused(error: KontikiError): void;
}

/** @since 0.1.0 */
export class TlsAcceptor {
  readonly #credentials: TlsCredentials;
  readonly #server: Server;
  /** By the other end, which is all that the platform lets one know a wrapped socket by. */
  readonly #waiting = new Map<string, SecureHandlers>();
  #material: TlsMaterial;

  constructor(credentials: TlsCredentials) {
    this.#credentials = credentials;
    this.#material = credentials.current();
    // It listens nowhere. Certificates are asked for, and looked at with the hello: only then is it
    // known whose it has to be, and only so can the other side be told what is wrong with it.
    const options = { ...this.#material.settings, requestCert: true, rejectUnauthorized: false };
    this.#server = createServer(options);
    this.#server.on('secureConnection', (socket) => {
      const handlers = this.#take(socket);
      if (handlers !== undefined) return handlers.onSecure(socket);
      // It was reset meanwhile, and the platform does not know any more whose it was.
      socket.on('error', () => undefined).destroy();
    });
    this.#server.on('tlsClientError', (error, socket) => {
      const refusal = tlsRefusalOf(error);
      if (refusal !== undefined) this.#take(socket)?.onRefused(refusal);
    });
  }

  /** Begins the handshake on a socket that was just accepted. */
  secure(socket: Socket, handlers: SecureHandlers): void {
    const material = this.#credentials.current();
    if (material !== this.#material) this.#server.setSecureContext(material.settings);
    this.#material = material;
    const end = endOf(socket);
    this.#waiting.set(end, handlers);
    socket.on('close', () => {
      if (this.#waiting.get(end) === handlers) this.#waiting.delete(end);
    });
    this.#server.emit('connection', socket);
  }

  #take(socket: Socket): SecureHandlers | undefined {
    const end = endOf(socket);
    const handlers = this.#waiting.get(end);
    this.#waiting.delete(end);
    return handlers;
  }
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
