/**
 * Members of one process that talk without sockets, for tests, examples and browsers. Everything
 * else is as on TCP: messages pass through their encoding, so that no object is shared, and links
 * through the same handshake.
 */
import { assert } from '../base/assert.js';
import type { Timers } from '../base/clock.js';
import { kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { MemberId } from '../raft/types.js';
import type { PeerAddresses } from './listed-peers.js';
import { MemoryTransport } from './memory-transport.js';

/** Options of {@link MemoryHub}. @since 0.1.0 */
export interface MemoryHubOptions {
  readonly timers: Timers;
  /** Pause between attempts to reach a peer, in milliseconds; default 20. */
  readonly retryMs?: number;
  /** Bytes waiting for one peer before messages are dropped; default `limits.peerQueueBytesMax`. */
  readonly queueBytesMax?: number;
}

/** Options of {@link MemoryHub.transport}. @since 0.1.0 */
export interface MemoryTransportOptions {
  /** Any text; it names the member inside the hub as `host:port` does in a network. */
  readonly address: string;
  /** Address of every member by id; a function is asked when `probe` and `start` are called. */
  readonly peers: PeerAddresses;
}

/**
 * The network between in-process transports.
 *
 * @since 0.1.0
 * @example
 * const hub = new MemoryHub({ timers: systemTimers }); // of kontiki/node
 * const peers = new Map([[1, 'a'], [2, 'b']]);
 * const a = hub.transport({ address: 'a', peers });
 */
export class MemoryHub {
  readonly timers: Timers;
  readonly retryMs: number;
  readonly queueBytesMax: number;
  readonly #listening = new Map<string, MemoryTransport>();
  readonly #cut = new Set<string>();

  constructor(options: MemoryHubOptions) {
    this.timers = options.timers;
    this.retryMs = options.retryMs ?? 20;
    this.queueBytesMax = options.queueBytesMax ?? limits.peerQueueBytesMax;
  }

  /** A transport of this network, not listening yet. */
  transport(options: MemoryTransportOptions): MemoryTransport {
    return new MemoryTransport(this, options);
  }

  /** Cuts both links between two members: what is under way is lost, new attempts fail. */
  disconnect(a: MemberId, b: MemberId): void {
    this.#cut.add(pairOf(a, b));
    for (const transport of this.#listening.values()) transport.dropLinksBetween(a, b);
  }

  /** For transports: who listens at an address, cut off or not. @internal */
  listening(address: string): MemoryTransport | undefined {
    return this.#listening.get(address);
  }

  /**
   * For transports: ends the links of a member to `target`.
   *
   * @internal
   */
  dropLinks(from: MemberId, target: MemoryTransport): void {
    for (const transport of this.#listening.values()) {
      if (transport.memberId === from) transport.dropLinksTo(target);
    }
  }

  /** Lets two members reach each other again. */
  connect(a: MemberId, b: MemberId): void {
    this.#cut.delete(pairOf(a, b));
  }

  /**
   * For transports: who answers at `address`, as seen from `from`.
   *
   * @internal
   */
  reach(from: MemberId, address: string): MemoryTransport | undefined {
    const target = this.#listening.get(address);
    const to = target?.memberId;
    return to === undefined || this.#cut.has(pairOf(from, to)) ? undefined : target;
  }

  /**
   * For transports: takes an address.
   *
   * @throws {KontikiError} PORT_IN_USE
   * @internal
   */
  add(address: string, transport: MemoryTransport): void {
    if (this.#listening.has(address)) {
      throw kontikiError('PORT_IN_USE', `${address} is in use by another member`);
    }
    this.#listening.set(address, transport);
  }

  /**
   * For transports: lets go of an address. Links to it fall.
   *
   * @internal
   */
  remove(address: string, transport: MemoryTransport): void {
    assert(this.#listening.get(address) === transport, 'an address is freed by its owner');
    this.#listening.delete(address);
    for (const other of this.#listening.values()) other.dropLinksTo(transport);
  }
}

function pairOf(a: MemberId, b: MemberId): string {
  return `${Math.min(a, b)} ${Math.max(a, b)}`;
}
