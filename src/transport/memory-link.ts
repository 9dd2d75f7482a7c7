/**
 * One direction between two members of a {@link MemoryHub}.
 */
import type { Timer } from '../base/clock.js';
import type { KontikiError } from '../base/errors.js';
import { encodeWireMessage } from '../codec/wire-codec.js';
import type { WireMessage } from '../codec/wire-message.js';
import type { MemberId } from '../raft/types.js';
import { decodeAnswer, refusalError } from './answer.js';
import { checkAcceptance, helloOf } from './handshake.js';
import { encodeHello } from './hello.js';
import type { MemoryHub } from './memory-hub.js';
import type { MemoryTransport } from './memory-transport.js';
import { PeerPlace } from './peer-place.js';
import type { MemberIdentity, TransportHandlers } from './transport.js';

/** @since 0.1.0 */
export interface MemoryLinkOptions {
  readonly hub: MemoryHub;
  readonly self: MemberIdentity;
  readonly peer: MemberId;
  readonly address: string;
  readonly handlers: Pick<TransportHandlers, 'onLink' | 'onRefused'>;
}

/**
 * A link that tries to stand for as long as it is not closed.
 *
 * @since 0.1.0
 */
export class MemoryLink {
  readonly #options: MemoryLinkOptions;
  readonly #place: PeerPlace;
  /** The other end while the link stands. */
  target: MemoryTransport | undefined;
  /** Counts rises, so that what was sent before a fall is not delivered after it. */
  #rises = 0;
  #pending: Uint8Array[] = [];
  /** Bytes not delivered yet, flushed or not. */
  #queuedBytes = 0;
  #told: boolean | undefined;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: MemoryLinkOptions) {
    this.#options = options;
    this.#place = new PeerPlace(options.address);
    this.#retry = options.hub.timers.soon(() => void this.#connect());
  }

  /** Where it leads by the list. */
  get address(): string {
    return this.#place.listed;
  }

  /** Whether it is listed there, or stands there. */
  leadsTo(address: string): boolean {
    return (
      this.address === address || (this.target !== undefined && this.#place.address === address)
    );
  }

  /** The peer says where it is: it is looked for there, too, in turn. */
  says(address: string): void {
    if (this.#place.says(address) && this.target === undefined) this.#place.turn();
  }

  /** Encodes and queues a message, or drops it. */
  send(message: WireMessage): void {
    if (this.target === undefined) return;
    const bytes = encodeWireMessage(message);
    if (this.#queuedBytes + bytes.length > this.#options.hub.queueBytesMax) return;
    this.#pending.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  /** Delivers everything queued in the next turn of the event loop. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const batch = this.#pending;
    const rise = this.#rises;
    this.#pending = [];
    this.#options.hub.timers.soon(() => this.#deliver(batch, rise));
  }

  /** The connection breaks; what is under way is lost. */
  drop(): void {
    if (this.target === undefined) return;
    this.target = undefined;
    this.#pending = [];
    this.#queuedBytes = 0;
    this.#tellLater(false);
    this.#retryLater();
  }

  /** Stops for good. */
  close(): void {
    this.#closed = true;
    this.target = undefined;
    this.#pending = [];
    this.#retry?.cancel();
  }

  /** Never rejects: handshakes of our own making decode. */
  async #connect(): Promise<void> {
    const { hub, self, peer } = this.#options;
    const { address } = this.#place;
    const target = hub.reach(self.memberId, address);
    const hello = helloOf(self, peer, false);
    const bytes = await target?.answer(encodeHello(hello));
    // The world may have changed while the owner of the other end made up its mind.
    if (this.#closed) return;
    if (bytes === undefined || hub.reach(self.memberId, address) !== target) return this.#fail();
    const answer = decodeAnswer(bytes);
    if (answer.kind === 'refused') return this.#fail(refusalError(answer));
    if (answer.kind === 'told') return this.#fail();
    const error = checkAcceptance(answer, hello);
    if (error !== undefined) return this.#fail(error);
    this.target = target;
    this.#rises += 1;
    this.#tellLater(true);
  }

  #fail(error?: KontikiError): void {
    this.#place.turn();
    this.#tellLater(false);
    this.#retryLater();
    if (error === undefined) return;
    const { hub, peer, handlers } = this.#options;
    hub.timers.soon(() => {
      if (!this.#closed) handlers.onRefused(peer, error);
    });
  }

  #deliver(batch: readonly Uint8Array[], rise: number): void {
    for (const bytes of batch) {
      // A handler may close either end, or cut the link, in the middle of a batch.
      if (this.target === undefined || rise !== this.#rises) return;
      this.#queuedBytes -= bytes.length;
      if (!this.target.receive(this.#options.self.memberId, bytes)) this.drop();
    }
  }

  #retryLater(): void {
    const { timers, retryMs } = this.#options.hub;
    this.#retry = timers.after(retryMs, () => void this.#connect());
  }

  /** In a turn of its own, because a link may fall inside of any call. */
  #tellLater(up: boolean): void {
    if (this.#told === up) return;
    this.#told = up;
    const { hub, peer, handlers } = this.#options;
    hub.timers.soon(() => {
      if (!this.#closed) handlers.onLink(peer, up);
    });
  }
}
