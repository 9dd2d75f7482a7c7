/**
 * The transport of one incarnation on the simulated network. Messages go through the real codec, and
 * receive buffers are scribbled over after decoding, so that whatever keeps a view into one shows.
 */
import { assert } from '../base/assert.js';
import { crc32 } from '../base/crc32.js';
import { Deferred } from '../base/deferred.js';
import { isKontikiError, KontikiError, kontikiError } from '../base/errors.js';
import type { Random } from '../base/prng.js';
import { decodeWireMessage } from '../codec/wire-codec.js';
import type { WireMessage } from '../codec/wire-message.js';
import type { MemberId } from '../raft/types.js';
import type { MemberIdentity, Transport, TransportHandlers } from '../transport/transport.js';
import type { Incarnation } from './incarnation.js';
import { SimLink } from './sim-link.js';
import type { SimNetwork } from './sim-network.js';
import { SimRandom } from './sim-random.js';

const listenUs = 50;

/** How long `probe` waits for a peer that stays silent. */
const probeTimeoutUs = 200_000;

/**
 * One end of the network; `SimNetwork.transport` makes it.
 *
 * @since 0.1.0
 */
export class SimTransport implements Transport {
  readonly network: SimNetwork;
  readonly incarnation: Incarnation;
  /** Name of the machine, which is its address. */
  readonly machine: string;
  /** Draws the pauses between attempts to connect. */
  readonly random: Random;
  readonly #links = new Map<MemberId, SimLink>();
  readonly #outbox = new Map<MemberId, WireMessage[]>();
  #started: { readonly self: MemberIdentity; readonly handlers: TransportHandlers } | undefined;
  #closed = false;

  /**
   * @param network - see {@link SimNetwork}
   * @param incarnation - whose transport it is
   */
  constructor(network: SimNetwork, incarnation: Incarnation) {
    this.network = network;
    this.incarnation = incarnation;
    this.machine = incarnation.machine;
    const entity = [incarnation.machine, incarnation.number];
    this.random = new SimRandom({ seed: network.seed, stream: 'network.redial', entity });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether its process lives, listens and talks. */
  get reachable(): boolean {
    return this.#started !== undefined && !this.#closed && this.incarnation.alive;
  }

  /** Who it is, once started. */
  get identity(): MemberIdentity {
    assert(this.#started !== undefined, 'the transport is started');
    return this.#started.self;
  }

  listen(): Promise<void> {
    return this.incarnation.settle(listenUs, () => {
      if (!this.network.listen(this)) {
        throw kontikiError('PORT_IN_USE', `the address ${this.machine} is taken`);
      }
    });
  }

  async probe(self: MemberIdentity): Promise<void> {
    await this.incarnation.settle(listenUs, () => {});
    const peers = this.network.endpoints().filter((peer) => peer.machine !== this.machine);
    await Promise.all(peers.map((peer) => this.#ask(peer, self)));
  }

  start(self: MemberIdentity, handlers: TransportHandlers): void {
    if (!this.incarnation.alive) return;
    assert(this.#started === undefined, 'a transport is started once');
    assert(this.network.isListening(this), 'a transport listens before it starts');
    this.#started = { self, handlers };
    this.network.enter(this);
  }

  /** Connects to a member, if it does not yet. */
  connect(peer: MemberId): void {
    if (this.#links.has(peer) || peer === this.identity.memberId) return;
    const link = new SimLink(this, peer);
    this.#links.set(peer, link);
    this.incarnation.schedule(0, () => link.dial());
  }

  /** The outgoing link to a member, if there ever was one. */
  link(peer: MemberId): SimLink | undefined {
    return this.#links.get(peer);
  }

  send(message: WireMessage): void {
    const queue = this.#outbox.get(message.to);
    if (queue === undefined) this.#outbox.set(message.to, [message]);
    else queue.push(message);
  }

  flush(): void {
    if (this.#outbox.size === 0 || !this.reachable) return;
    const batches = [...this.#outbox];
    this.#outbox.clear();
    for (const [peer, messages] of batches) this.#links.get(peer)?.send(messages);
  }

  close(): Promise<void> {
    if (!this.#closed && this.incarnation.alive) {
      this.#closed = true;
      this.network.leave(this, { reset: true });
    }
    return this.incarnation.settle(listenUs, () => {});
  }

  /** A peer presents itself, or only asks. Rejects with what a refusal on the wire would carry. */
  async admit(peer: MemberIdentity, probe: boolean): Promise<void> {
    assert(this.#started !== undefined, 'only started transports are dialed');
    const { self, handlers } = this.#started;
    if (peer.clusterId !== self.clusterId) {
      const message = `expected cluster ${self.clusterId}, got ${peer.clusterId}`;
      throw kontikiError('CLUSTER_MISMATCH', message);
    }
    try {
      await handlers.admit(peer, probe);
    } catch (error) {
      if (isKontikiError(error)) throw new KontikiError(error.code, error.message);
      throw kontikiError('TRANSPORT_IO', `refused: ${String(error)}`);
    }
  }

  /** Bytes arrived on a connection that was admitted. */
  receive(from: string, frame: Uint8Array): void {
    const { scheduler } = this.incarnation;
    scheduler.trace('net.deliver', this.machine, from, frame.length, crc32(frame));
    const message = decodeWireMessage(frame);
    frame.fill(0xdb);
    if (!this.#closed) this.#started?.handlers.onMessage(message);
  }

  /** Tells the owner, unless it closed. */
  onLink(peer: MemberId, up: boolean): void {
    if (!this.#closed) this.#started?.handlers.onLink(peer, up);
  }

  /** Tells the owner, unless it closed. */
  onRefused(peer: MemberId, error: KontikiError): void {
    if (!this.#closed) this.#started?.handlers.onRefused(peer, error);
  }

  /** Resolves when `peer` would take `self`, or stays silent; rejects with its refusal. */
  #ask(peer: SimTransport, self: MemberIdentity): Promise<void> {
    const answer = new Deferred<void>();
    this.incarnation.schedule(probeTimeoutUs, () => answer.resolve());
    const there = this.network.path({ from: this.machine, to: peer.machine });
    const back = this.network.path({ from: peer.machine, to: this.machine });
    if (there.blocked || back.blocked) return answer.promise;
    peer.incarnation.schedule(there.delayUs(), () => {
      if (peer.closed) return;
      peer.admit(self, true).then(
        () => this.incarnation.schedule(back.delayUs(), () => answer.resolve()),
        (refusal) => this.incarnation.schedule(back.delayUs(), () => answer.reject(refusal)),
      );
    });
    return answer.promise;
  }
}
