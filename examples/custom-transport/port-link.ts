/**
 * One direction between two members: a port of its own. The first thing on it is who we are, the first
 * thing back whether we are taken, then batches of messages go there and counts of their bytes come back.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { type ErrorCode, KontikiError } from '../../src/index.js';
import type { MemberIdentity, TransportHandlers, WireMessage } from '../../src/transport/index.js';
import { encodeWireMessage } from '../../src/transport/index.js';
import type { Call } from './switchboard.js';

const redialMs = 20;
const queueBytesMax = 64 << 20;

export interface Hello {
  readonly from: MemberIdentity;
  readonly to: number;
  readonly probe: boolean;
}

/** Without a code: taken. */
export interface Answer {
  readonly code?: ErrorCode;
  readonly message?: string;
}

/** Hands one end of a channel to a member; the answer is `undefined` when nobody gives any. */
export function dial(line: MessagePort, hello: Hello) {
  const { port1: port, port2: theirs } = new MessageChannel();
  const answered = new Promise<Answer | undefined>((resolve) => {
    port.once('message', resolve);
    port.once('close', () => resolve(undefined));
  });
  port.postMessage(hello);
  line.postMessage({ op: 'dial', member: hello.to, port: theirs } satisfies Call, [theirs]);
  return { port, answered };
}

export class PortLink {
  readonly #line: MessagePort;
  readonly #hello: Hello;
  readonly #handlers: TransportHandlers;
  #port: MessagePort | undefined;
  #pending: Uint8Array[] = [];
  /** Waiting here, or there and not yet taken. */
  #queuedBytes = 0;
  /** What the owner was told last. */
  #told: boolean | undefined;
  #redial: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(line: MessagePort, self: MemberIdentity, to: number, handlers: TransportHandlers) {
    this.#line = line;
    this.#hello = { from: self, to, probe: false };
    this.#handlers = handlers;
    void this.#connect();
  }

  send(message: WireMessage): void {
    if (this.#port === undefined || this.#queuedBytes > queueBytesMax) return;
    // A copy: the encoder's block is its own, and what is handed over has to be ours.
    const bytes = new Uint8Array(encodeWireMessage(message));
    this.#pending.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  flush(): void {
    if (this.#pending.length === 0) return;
    const buffers = this.#pending.map(({ buffer }) => buffer as ArrayBuffer);
    this.#port?.postMessage(this.#pending, buffers);
    this.#pending = [];
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#redial);
    this.#port?.close();
  }

  async #connect(): Promise<void> {
    const { port, answered } = dial(this.#line, this.#hello);
    const answer = await answered;
    if (this.#closed || answer === undefined || answer.code !== undefined) port.close();
    if (this.#closed) return;
    if (answer === undefined) return this.#fall();
    if (answer.code !== undefined) {
      this.#fall();
      this.#handlers.onRefused(this.#hello.to, new KontikiError(answer.code, answer.message ?? ''));
      return;
    }
    this.#port = port;
    port.on('message', (takenBytes: number) => {
      this.#queuedBytes -= takenBytes;
    });
    port.on('close', () => this.#fall());
    this.#tell(true);
  }

  #fall(): void {
    this.#port = undefined;
    this.#pending = [];
    this.#queuedBytes = 0;
    if (this.#closed) return;
    this.#redial = setTimeout(() => void this.#connect(), redialMs);
    this.#tell(false);
  }

  #tell(up: boolean): void {
    if (this.#told === up) return;
    this.#told = up;
    this.#handlers.onLink(this.#hello.to, up);
  }
}
