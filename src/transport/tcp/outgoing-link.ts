/**
 * Our connection to one peer: messages leave on it, and nothing but notes that they arrive comes
 * back. It reconnects for as long as the transport lives.
 */
import type { Socket } from 'node:net';
import type { Timer } from '../../base/clock.js';
import { isKontikiError, type KontikiError, kontikiError } from '../../base/errors.js';
import { limits } from '../../base/limits.js';
import { encodeWireMessage } from '../../codec/wire-codec.js';
import type { WireMessage } from '../../codec/wire-message.js';
import type { MemberId } from '../../raft/types.js';
import { type Address, formatAddress, parseAddress } from '../address.js';
import { frameHeaderBytes, frameOf, sealFrame } from '../frame.js';
import type { FrameParser } from '../frame-parser.js';
import { helloOf } from '../handshake.js';
import type { Lane } from '../hello.js';
import { PeerPlace } from '../peer-place.js';
import type { MemberIdentity, TransportHandlers } from '../transport.js';
import { Backoff } from './backoff.js';
import { type DialResult, dial } from './dial.js';
import type { TcpContext } from './tcp-context.js';
import { writeFrames } from './write-frames.js';

const nothing = new Uint8Array(0);

/** What the owner is told of. @since 0.1.0 */
export type LinkHandlers = Pick<TransportHandlers, 'onIncident' | 'onLink' | 'onRefused'>;

/** @since 0.1.0 */
export interface OutgoingLinkOptions {
  readonly context: TcpContext;
  readonly self: MemberIdentity;
  readonly peer: MemberId;
  readonly address: Address;
  readonly lane: Lane;
  /** Bytes that may wait, those handed to the socket included. */
  readonly queueBytesMax: number;
  readonly handlers: LinkHandlers;
}

/**
 * One link. It starts to connect when it is made.
 *
 * @since 0.1.0
 */
export class OutgoingLink {
  readonly #options: OutgoingLinkOptions;
  readonly #place: PeerPlace;
  readonly #backoff: Backoff;
  #socket: Socket | undefined;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** What the owner was told last. */
  #told: boolean | undefined;
  #retry: Timer | undefined;
  /** Runs from the first write that has not been noted by the peer. */
  #silence: Timer | undefined;
  #ping: Timer | undefined;
  /** Until it has stood for long enough to be called again at once. */
  #steady: Timer | undefined;
  /** Whether something was written since the last look. */
  #hasWritten = false;
  #closed = false;

  constructor(options: OutgoingLinkOptions) {
    this.#options = options;
    this.#place = new PeerPlace(formatAddress(options.address));
    this.#backoff = new Backoff(options.context.times.reconnect, options.context.random);
    this.#connect();
  }

  /** Encodes and queues a message, or drops it. */
  send(message: WireMessage): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const { context, queueBytesMax } = this.#options;
    if (this.#pending.length >= limits.peerQueueMessagesMax) return;
    const frame = encodeWireMessage(message, frameHeaderBytes);
    // A peer may have put into it what fills it, so it is no reason to stop.
    if (frame.length > limits.frameBytesMax) return this.#report(tooLarge(message, frame));
    const queued = this.#pendingBytes + socket.writableLength;
    if (queued + frame.length > queueBytesMax) return;
    sealFrame(frame, context.crc32);
    this.#pending.push(frame);
    this.#pendingBytes += frame.length;
  }

  /** Hands everything queued to the socket. */
  flush(): void {
    if (this.#socket === undefined || this.#pending.length === 0) return;
    writeFrames(this.#socket, this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#hasWritten = true;
    // A peer that vanished without a word leaves the kernel retrying for many minutes, with pauses
    // that outlast the outage. A new connection gets through as soon as the network does.
    const { timers, times } = this.#options.context;
    this.#silence ??= timers.after(times.silenceMs, () => this.#socket?.destroy());
  }

  /**
   * The peer says where it is. It is looked for there in turn with the other place, at once if nobody
   * was found there.
   */
  says(address: Address): void {
    if (!this.#place.says(formatAddress(address)) || this.#retry === undefined) return;
    this.#place.turn();
    this.callNow();
  }

  /** Nothing waits for the next attempt: the peer is known to be there. */
  callNow(): void {
    if (this.#retry === undefined) return;
    this.#retry.cancel();
    this.#retry = undefined;
    this.#backoff.reset();
    this.#connect();
  }

  /** Whether it is listed there, or stands there. */
  leadsTo(address: Address): boolean {
    const at = formatAddress(address);
    return this.#place.listed === at || (this.#socket !== undefined && this.#place.address === at);
  }

  /** Stops for good. */
  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
    this.#retry?.cancel();
    this.#silence?.cancel();
    this.#ping?.cancel();
    this.#steady?.cancel();
  }

  #connect(): void {
    const { context, self, peer, lane } = this.#options;
    dial({
      context,
      address: parseAddress(this.#place.address),
      hello: helloOf(self, peer, false, lane),
      timeoutMs: context.times.handshakeMs,
      onDone: (result) => this.#onDialed(result),
    });
  }

  #onDialed(result: DialResult): void {
    if (this.#closed) {
      if (result.kind === 'accepted') result.socket.destroy();
      return;
    }
    if (result.kind === 'accepted') {
      this.#rise(result.socket, result.parser);
      return;
    }
    const { handlers, peer } = this.#options;
    this.#place.turn();
    this.#retryLater();
    this.#tell(false);
    if (result.kind === 'refused') handlers.onRefused(peer, result.error);
  }

  #rise(socket: Socket, parser: FrameParser): void {
    parser.payloadBytesMax = 0;
    socket.on('data', (chunk) => {
      parser.push(chunk);
      if (!this.#readNotes(parser)) socket.destroy();
    });
    // The peer is gone: what still waits to be written would only delay the news.
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#fall());
    this.#socket = socket;
    const { timers, times } = this.#options.context;
    // Who takes a connection and closes it at once would otherwise be called as often as it takes them.
    this.#steady = timers.after(times.reconnect.maxMs, () => this.#backoff.reset());
    this.#pingLater();
    this.#tell(true);
    // The answer may have come with more behind it.
    if (!this.#readNotes(parser)) socket.destroy();
  }

  #fall(): void {
    this.#socket = undefined;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#silence?.cancel();
    this.#silence = undefined;
    this.#ping?.cancel();
    this.#steady?.cancel();
    if (this.#closed) return;
    this.#retryLater();
    this.#tell(false);
  }

  /** Reads empty frames; false for anything else. */
  #readNotes(parser: FrameParser): boolean {
    try {
      while (parser.next() !== undefined) {
        this.#silence?.cancel();
        this.#silence = undefined;
      }
      return true;
    } catch (error) {
      if (!isKontikiError(error, 'FRAME_INVALID')) throw error;
      this.#report(error);
      return false;
    }
  }

  #report(error: KontikiError): void {
    const { handlers, peer: memberId } = this.#options;
    handlers.onIncident?.({ error, address: this.#place.address, memberId });
  }

  /** An idle link that broke is found out before it is needed. */
  #pingLater(): void {
    const { crc32, timers, times } = this.#options.context;
    this.#ping = timers.after(times.pingMs, () => {
      if (!this.#hasWritten) {
        this.#pending.push(frameOf(nothing, crc32));
        this.flush();
      }
      this.#hasWritten = false;
      this.#pingLater();
    });
  }

  #retryLater(): void {
    const { timers } = this.#options.context;
    this.#retry = timers.after(this.#backoff.nextMs(), () => {
      this.#retry = undefined;
      this.#connect();
    });
  }

  #tell(up: boolean): void {
    if (this.#told === up) return;
    this.#told = up;
    this.#options.handlers.onLink(this.#options.peer, up);
  }
}

function tooLarge({ kind }: WireMessage, { length }: Uint8Array): KontikiError {
  const message = `${kind} in a frame of ${length} bytes, ${limits.frameBytesMax} at most, is not sent`;
  return kontikiError('FRAME_INVALID', message);
}
