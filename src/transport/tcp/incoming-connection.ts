/**
 * A connection that a peer opened to us. It only delivers: what we have to say to that peer leaves
 * on our own connection to it.
 *
 *     securing --> hello --> waiting --> open
 *         \          \        |   \       |
 *          \          \       |    '-> finished
 *           '----------'-> closed <---'
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { assert } from '../../base/assert.js';
import type { Timer } from '../../base/clock.js';
import { isKontikiError, type KontikiError, kontikiError } from '../../base/errors.js';
import { decodeWireMessage } from '../../codec/wire-codec.js';
import type { WireMessage } from '../../codec/wire-message.js';
import { formatAddress } from '../address.js';
import { type Answer, encodeAnswer, refusalOf } from '../answer.js';
import { frameOf, framePayloadBytesMax } from '../frame.js';
import { FrameParser } from '../frame-parser.js';
import { handshakeBytesMax } from '../handshake-fields.js';
import { decodeHello, type Hello } from '../hello.js';
import type { TcpContext } from './tcp-context.js';
import { tlsUnexpected } from './tls-refusal.js';

/** What a connection tells its owner. @since 0.1.0 */
export interface IncomingHandlers {
  /** Once; to be answered with `open` or `finish`. */
  onHello(connection: IncomingConnection, hello: Hello): void;
  /** From the peer to this member, as the handshake said. */
  onMessage(message: WireMessage): void;
  /** Why it is about to be closed, when it is the other side's fault. */
  onFault(connection: IncomingConnection, error: KontikiError): void;
  /** Once, last. */
  onClosed(connection: IncomingConnection): void;
}

/** @since 0.1.0 */
export interface IncomingConnectionOptions {
  readonly context: TcpContext;
  /** As it was accepted, not encrypted yet. */
  readonly socket: Socket;
  /** Place in the order of arrival. */
  readonly number: number;
  readonly handlers: IncomingHandlers;
}

/**
 * One connection, from accept to close. The handshake must be over in time; any byte that is out of
 * place closes it.
 *
 * @since 0.1.0
 */
export class IncomingConnection {
  /** Place in the order of arrival. */
  readonly number: number;
  /** Of the other end: IP address and port. */
  readonly host: string;
  readonly address: string;
  readonly #context: TcpContext;
  #socket: Socket;
  readonly #handlers: IncomingHandlers;
  readonly #parser: FrameParser;
  readonly #deadline: Timer;
  #state: 'securing' | 'hello' | 'waiting' | 'open' | 'finished' | 'closed' = 'securing';
  #hello: Hello | undefined;
  /** Runs from the first bytes that have not been noted. */
  #note: Timer | undefined;
  #idle: Timer | undefined;
  /** Whether bytes came since the last look. */
  #wasHeard = false;

  constructor({ context, socket, number, handlers }: IncomingConnectionOptions) {
    this.number = number;
    this.#context = context;
    this.#socket = socket;
    this.#handlers = handlers;
    this.host = socket.remoteAddress ?? 'unknown';
    this.address = formatAddress({ host: this.host, port: socket.remotePort ?? 0 });
    this.#parser = new FrameParser(handshakeBytesMax, context.crc32);
    const { handshakeMs } = context.times;
    this.#deadline = context.timers.after(handshakeMs, () => this.#onDeadline(handshakeMs));
    socket.on('close', () => this.close());
  }

  /**
   * Begins to read.
   *
   * @param socket - the one that was accepted, or what encrypts it
   */
  begin(socket: Socket): void {
    if (this.#state !== 'securing') return;
    this.#state = 'hello';
    this.#socket = socket;
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('end', () => this.close());
    socket.on('close', () => this.close());
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** What its peer said; `undefined` before its hello. */
  get hello(): Hello | undefined {
    return this.#hello;
  }

  /** What encrypts it, if anything does. */
  get secured(): TLSSocket | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket : undefined;
  }

  /** Answers the hello and begins to deliver. */
  open(answer: Answer): void {
    assert(this.#state === 'waiting', 'only a hello is answered');
    this.#state = 'open';
    this.#deadline.cancel();
    this.#parser.payloadBytesMax = framePayloadBytesMax;
    this.#write(encodeAnswer(answer));
    this.#awaitSilence();
  }

  /** Answers the hello and closes once the answer is sent; the deadline still holds. */
  finish(answer: Answer): void {
    assert(this.#state === 'hello' || this.#state === 'waiting', 'only a hello is answered');
    this.#state = 'finished';
    this.#write(encodeAnswer(answer));
    this.#socket.end(() => this.close());
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#deadline.cancel();
    this.#note?.cancel();
    this.#idle?.cancel();
    this.#socket.destroy();
    this.#handlers.onClosed(this);
  }

  #onData(chunk: Uint8Array): void {
    if (this.#state === 'closed' || this.#state === 'finished') return;
    const isFirst = !this.#wasHeard && this.#state === 'hello';
    if (isFirst && isTls(chunk) && this.secured === undefined) return this.#refuseTls();
    this.#wasHeard = true;
    // Not only whole frames: on a slow path a long one takes more time than the peer waits for a note.
    if (this.#state === 'open') this.#noteLater();
    this.#parser.push(chunk);
    // A handler may close us in the middle of a chunk.
    for (let more = true; more && !this.isClosed; ) more = this.#onFrame();
  }

  /** What a client of TLS makes of an answer that is not encrypted tells it what is wrong. */
  #refuseTls(): void {
    const error = tlsUnexpected();
    this.#handlers.onFault(this, error);
    this.finish(refusalOf(error) as Answer);
  }

  /** Takes one frame from the parser; false when there is none. */
  #onFrame(): boolean {
    let message: WireMessage | Hello | undefined;
    try {
      const payload = this.#parser.next();
      if (payload === undefined) return false;
      message = this.#decode(payload);
    } catch (error) {
      if (!isKontikiError(error, 'FRAME_INVALID') && !isKontikiError(error, 'FORMAT_UNSUPPORTED')) {
        throw error;
      }
      this.#fault(error);
      return false;
    }
    // Outside of the try: what a handler throws is not the peer's fault.
    if (message === undefined) return true;
    if ('kind' in message) this.#onMessage(message);
    else this.#onHello(message);
    return true;
  }

  /** `undefined` for a ping. */
  #decode(payload: Uint8Array): WireMessage | Hello | undefined {
    if (this.#state === 'open')
      return payload.length === 0 ? undefined : decodeWireMessage(payload);
    if (this.#state === 'hello') return decodeHello(payload);
    throw kontikiError('FRAME_INVALID', 'a frame between hello and answer');
  }

  #onHello(hello: Hello): void {
    this.#state = 'waiting';
    this.#hello = hello;
    this.#handlers.onHello(this, hello);
  }

  #onMessage(message: WireMessage): void {
    const hello = this.#hello as Hello;
    if (message.from !== hello.from.memberId || message.to !== hello.to) {
      const ends = `${message.from} to ${message.to} instead of ${hello.from.memberId} to ${hello.to}`;
      this.#fault(kontikiError('FRAME_INVALID', `a message of ${ends}`));
      return;
    }
    this.#handlers.onMessage(message);
  }

  #fault(error: KontikiError): void {
    this.#handlers.onFault(this, error);
    this.close();
  }

  #onDeadline(handshakeMs: number): void {
    if (this.#state === 'finished') return this.close();
    this.#fault(kontikiError('TIMEOUT', `no handshake within ${handshakeMs} ms`));
  }

  /** A peer pings when it has nothing to say, so one that is silent is gone without a word. */
  #awaitSilence(): void {
    const { timers, times } = this.#context;
    this.#wasHeard = false;
    this.#idle = timers.after(times.idleMs, () => {
      if (this.#wasHeard) this.#awaitSilence();
      else this.#fault(kontikiError('TIMEOUT', `silent for ${times.idleMs} ms`));
    });
  }

  #noteLater(): void {
    this.#note ??= this.#context.timers.after(this.#context.times.noteMs, () => this.#writeNote());
  }

  /** Tells the peer that what it sends arrives, unless it does not even read the last note. */
  #writeNote(): void {
    this.#note = undefined;
    if (this.#socket.writableLength === 0) this.#write(new Uint8Array(0));
  }

  #write(payload: Uint8Array): void {
    this.#socket.write(frameOf(payload, this.#context.crc32));
  }
}

/**
 * Whether a connection begins as those of TLS do: a record of a handshake, and its version, of 1.0 to 1.3.
 * A frame of 0x316 bytes begins with the same two; no handshake's is so long that its third is not 0.
 */
function isTls(chunk: Uint8Array): boolean {
  const minor = chunk[2] ?? 0;
  return chunk[0] === 0x16 && chunk[1] === 0x03 && minor >= 1 && minor <= 4;
}
