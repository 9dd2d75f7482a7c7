/**
 * A connection that a peer opened to us. It only delivers: what we have to say to that peer leaves
 * on our own connection to it.
 *
 *     hello --> waiting --> open
 *         \        |         /
 *          '---> closed <---'
 */
import type { Socket } from 'node:net';
import { assert } from '../../base/assert.js';
import type { Timer } from '../../base/clock.js';
import { isKontikiError } from '../../base/errors.js';
import { limits } from '../../base/limits.js';
import { decodeWireMessage } from '../../codec/wire-codec.js';
import type { WireMessage } from '../../codec/wire-message.js';
import type { MemberId } from '../../raft/types.js';
import { type Answer, encodeAnswer } from '../answer.js';
import { frameOf } from '../frame.js';
import { FrameParser } from '../frame-parser.js';
import { handshakeBytesMax } from '../handshake-fields.js';
import { decodeHello, type Hello } from '../hello.js';
import type { TcpContext } from './tcp-context.js';

/** What a connection tells its owner. @since 0.1.0 */
export interface IncomingHandlers {
  /** Once; to be answered with `open` or `finish`. */
  onHello(connection: IncomingConnection, hello: Hello): void;
  /** From the peer to this member, as the handshake said. */
  onMessage(message: WireMessage): void;
  /** Once, last. */
  onClosed(connection: IncomingConnection): void;
}

/** @since 0.1.0 */
export interface IncomingConnectionOptions {
  readonly context: TcpContext;
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
  readonly #context: TcpContext;
  readonly #socket: Socket;
  readonly #handlers: IncomingHandlers;
  readonly #parser: FrameParser;
  readonly #deadline: Timer;
  #state: 'hello' | 'waiting' | 'open' | 'closed' = 'hello';
  #hello: Hello | undefined;
  /** Runs from the first message that has not been noted. */
  #note: Timer | undefined;

  constructor({ context, socket, number, handlers }: IncomingConnectionOptions) {
    this.number = number;
    this.#context = context;
    this.#socket = socket;
    this.#handlers = handlers;
    this.#parser = new FrameParser(handshakeBytesMax, context.crc32);
    this.#deadline = context.timers.after(context.times.handshakeMs, () => this.close());
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('end', () => this.close());
    socket.on('close', () => this.close());
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** The member that opened it; `undefined` before its hello. */
  get peer(): MemberId | undefined {
    return this.#hello?.from.memberId;
  }

  /** Answers the hello and begins to deliver. */
  open(answer: Answer): void {
    assert(this.#state === 'waiting', 'only a hello is answered');
    this.#state = 'open';
    this.#deadline.cancel();
    this.#parser.payloadBytesMax = limits.frameBytesMax;
    this.#write(encodeAnswer(answer));
  }

  /** Answers the hello and closes once the answer is sent; the deadline still holds. */
  finish(answer: Answer): void {
    assert(this.#state === 'waiting', 'only a hello is answered');
    this.#write(encodeAnswer(answer));
    this.#socket.end(() => this.close());
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#deadline.cancel();
    this.#note?.cancel();
    this.#socket.destroy();
    this.#handlers.onClosed(this);
  }

  #onData(chunk: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#parser.push(chunk);
    // A handler may close us in the middle of a chunk.
    for (let more = true; more && !this.isClosed; ) more = this.#onFrame();
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
    }
    // Outside of the try: what a handler throws is not the peer's fault.
    if (message === undefined) this.close();
    else if ('kind' in message) this.#onMessage(message);
    else this.#onHello(message);
    return true;
  }

  #decode(payload: Uint8Array): WireMessage | Hello | undefined {
    if (this.#state === 'open') return decodeWireMessage(payload);
    // Nobody may speak between hello and answer.
    return this.#state === 'hello' ? decodeHello(payload) : undefined;
  }

  #onHello(hello: Hello): void {
    this.#state = 'waiting';
    this.#hello = hello;
    this.#handlers.onHello(this, hello);
  }

  #onMessage(message: WireMessage): void {
    const hello = this.#hello as Hello;
    if (message.from !== hello.from.memberId || message.to !== hello.to) {
      this.close();
      return;
    }
    this.#note ??= this.#context.timers.after(this.#context.times.noteMs, () => this.#writeNote());
    this.#handlers.onMessage(message);
  }

  /** Tells the peer that its messages arrive, unless it does not even read the last note. */
  #writeNote(): void {
    this.#note = undefined;
    if (this.#socket.writableLength === 0) this.#write(new Uint8Array(0));
  }

  #write(payload: Uint8Array): void {
    this.#socket.write(frameOf(payload, this.#context.crc32));
  }
}
