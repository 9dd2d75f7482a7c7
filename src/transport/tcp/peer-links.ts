/**
 * Our connections to one peer: one for whatever keeps the log going, and one for snapshots, so that a
 * heartbeat never waits behind megabytes. The second is made when the first snapshot is sent.
 */
import { limits } from '../../base/limits.js';
import type { WireMessage } from '../../codec/wire-message.js';
import type { Address } from '../address.js';
import type { MemberIdentity } from '../transport.js';
import { type LinkHandlers, OutgoingLink, type OutgoingLinkOptions } from './outgoing-link.js';

/** @since 0.1.0 */
export type PeerLinksOptions = Omit<OutgoingLinkOptions, 'lane' | 'queueBytesMax'>;

/** Whether the peer is reachable is what the first link tells. */
const silent: LinkHandlers = { onLink: () => {}, onRefused: () => {} };

/** @since 0.1.0 */
export class PeerLinks {
  readonly #options: PeerLinksOptions;
  readonly #log: OutgoingLink;
  #snapshots: OutgoingLink | undefined;
  #said: Address | undefined;
  /** Token of the life in which the peer was met last. */
  #life: number | undefined;

  constructor(options: PeerLinksOptions) {
    this.#options = options;
    const { queueBytesMax } = options.context;
    this.#log = new OutgoingLink({ ...options, lane: 'log', queueBytesMax });
  }

  /** Where they lead by the list. */
  get address(): Address {
    return this.#options.address;
  }

  /** Whether they lead there, by the list or because the peer was found there. */
  leadTo(address: Address): boolean {
    return this.#log.leadsTo(address);
  }

  /** The peer says where it is; see {@link OutgoingLink.says}. */
  says(address: Address): void {
    this.#said = address;
    this.#log.says(address);
    this.#snapshots?.says(address);
  }

  /**
   * The peer opened a connection to us. In a life that is new it is called at once, however long it was
   * away: until then it hears from nobody. Once in each life, or two that close on each other would never rest.
   */
  met({ life }: MemberIdentity): void {
    const token = life?.tokens[0];
    if (token === undefined || token === this.#life) return;
    this.#life = token;
    this.#log.callNow();
    this.#snapshots?.callNow();
  }

  /** Queues a message on the connection that it belongs on, or drops it. */
  send(message: WireMessage): void {
    if (message.kind === 'snapshot-chunk') return this.#snapshotLink().send(message);
    // It is answered before the first chunk is sent: time to connect.
    if (message.kind === 'snapshot-request') this.#snapshotLink();
    this.#log.send(message);
  }

  /** Hands everything queued to the sockets. */
  flush(): void {
    this.#log.flush();
    this.#snapshots?.flush();
  }

  /** Stops for good; see {@link OutgoingLink.close}. */
  close(): void {
    this.#log.close();
    this.#snapshots?.close();
  }

  #snapshotLink(): OutgoingLink {
    if (this.#snapshots !== undefined) return this.#snapshots;
    this.#snapshots = new OutgoingLink({
      ...this.#options,
      lane: 'snapshots',
      queueBytesMax: limits.snapshotQueueBytesMax,
      handlers: silent,
    });
    if (this.#said !== undefined) this.#snapshots.says(this.#said);
    return this.#snapshots;
  }
}
