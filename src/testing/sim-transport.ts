/**
 * The transport of one incarnation on the simulated network. Messages go through the real codec, and
 * receive buffers are scribbled over after decoding, so that whatever keeps a view into one shows.
 */
import { assert } from '../base/assert.js';
import { crc32 } from '../base/crc32.js';
import { Deferred } from '../base/deferred.js';
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import type { Random } from '../base/prng.js';
import { decodeWireMessage } from '../codec/wire-codec.js';
import type { WireMessage } from '../codec/wire-message.js';
import type { MemberId } from '../raft/types.js';
import { gravestRefusal, refusalError, refusalOf } from '../transport/answer.js';
import { frameOf, framePayloadBytesMax } from '../transport/frame.js';
import { FrameParser } from '../transport/frame-parser.js';
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
  /** Told of each message that is handed over; default nobody. */
  onSend: ((message: WireMessage) => void) | undefined;
  /** Draws the pauses between attempts to connect. */
  readonly random: Random;
  readonly #links = new Map<MemberId, SimLink>();
  #listed: ReadonlyMap<MemberId, string | undefined> = new Map();
  /** Where members said they are, which the list may not know yet. */
  readonly #said = new Map<MemberId, string>();
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
    const asked = peers.map((peer) => this.#ask(peer, self));
    const refusal = gravestRefusal(await Promise.all(asked));
    if (refusal !== undefined) throw refusal;
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

  /**
   * Machines are found by the host of an address. Members whose address is not known are found by their
   * id alone.
   */
  updatePeers(members: ReadonlyMap<MemberId, string | undefined>): void {
    const before = this.#listed;
    this.#listed = members;
    if (!this.reachable) return;
    const { memberId } = this.identity;
    for (const peer of this.network.endpoints()) {
      const id = peer.identity.memberId;
      const isMoved = members.get(id) !== undefined && before.get(id) !== members.get(id);
      if ((!before.has(id) || members.has(id)) && !isMoved) continue;
      this.#links.get(id)?.cut(peer, true);
      if (!isMoved) peer.link(memberId)?.cut(this, true);
    }
    const own = members.get(memberId);
    if (own !== undefined && own !== this.identity.address) this.#introduce(own);
  }

  /** Whoever was told of no address, or of another, could not answer: it is told again. */
  #introduce(address: string): void {
    assert(this.#started !== undefined, 'the transport is started');
    const { handlers, self } = this.#started;
    this.#started = { self: { ...self, address }, handlers };
    for (const peer of this.network.endpoints()) {
      this.#links.get(peer.identity.memberId)?.cut(peer, true);
    }
  }

  inquire(address: string, question: Uint8Array): Promise<Uint8Array | undefined> {
    const done = new Deferred<Uint8Array | undefined>();
    this.incarnation.schedule(probeTimeoutUs, () => done.resolve(undefined));
    const machine = this.network.machineAt(hostOf(address));
    const there = this.network.path({ from: this.machine, to: machine });
    const back = this.network.path({ from: machine, to: this.machine });
    const peer = this.network.endpoints().find((each) => each.machine === machine);
    if (peer === undefined || there.blocked || back.blocked) return done.promise;
    peer.incarnation.schedule(there.delayUs(), () => {
      const answer = peer.closed ? undefined : peer.#started?.handlers.onInquiry?.(question);
      answer?.then(
        (data) => this.incarnation.schedule(back.delayUs(), () => done.resolve(data)),
        () => undefined,
      );
    });
    return done.promise;
  }

  /** Whether a member is looked for at a machine: where it is listed, or where it says it is. */
  looksAt(member: MemberId, machine: string): boolean {
    const listed = this.#listed.get(member);
    if (listed === undefined) return true;
    const places = [listed, this.#said.get(member)];
    return places.some((at) => at !== undefined && this.network.machineAt(hostOf(at)) === machine);
  }

  /** The machines at the other ends of the links that are up. */
  get linkedTo(): readonly string[] {
    const all = [...this.#links.values()].map((link) => link.linkedTo);
    return all.filter((machine) => machine !== undefined);
  }

  /** The outgoing link to a member, if there ever was one. */
  link(peer: MemberId): SimLink | undefined {
    return this.#links.get(peer);
  }

  send(message: WireMessage): void {
    this.onSend?.(message);
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

  /**
   * A peer presents itself, or only asks. Rejects with what a refusal on the wire would carry, or with
   * TRANSPORT_IO where it would not be answered.
   */
  async admit(peer: MemberIdentity, probe: boolean): Promise<void> {
    assert(this.#started !== undefined, 'only started transports are dialed');
    const { self, handlers } = this.#started;
    if (peer.clusterId !== self.clusterId) {
      const message = `expected cluster ${self.clusterId}, got ${peer.clusterId}`;
      throw kontikiError('CLUSTER_MISMATCH', message);
    }
    try {
      await handlers.admit(peer, probe);
      if (!probe && peer.address !== undefined) this.#said.set(peer.memberId, peer.address);
    } catch (error) {
      const answer = refusalOf(error);
      if (answer?.kind === 'refused') throw refusalError(answer);
      throw kontikiError('TRANSPORT_IO', `not answered: ${String(error)}`);
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

  /**
   * A frame arrived with one bit turned: the check that the product does on a real connection has to
   * notice.
   *
   * @param from - who sent it
   * @param payload - as it was sent
   * @param damage - which bit of its frame, as a fraction of all
   */
  refuse(
    from: { readonly machine: string; readonly memberId: MemberId },
    payload: Uint8Array,
    damage: number,
  ): void {
    const frame = frameOf(payload, crc32);
    const bit = Math.floor(damage * frame.length * 8);
    frame[bit >> 3] = (frame[bit >> 3] as number) ^ (1 << (bit & 7));
    this.incarnation.scheduler.trace('net.damaged', this.machine, from.machine, bit);
    const parser = new FrameParser(framePayloadBytesMax, crc32);
    try {
      parser.push(frame);
      // A size that grew lets it wait for more, in vain.
      assert(parser.next() === undefined, 'a damaged frame is not delivered');
    } catch (error) {
      if (!isKontikiError(error, 'FRAME_INVALID')) throw error;
      const incident = { error, address: from.machine, memberId: from.memberId };
      if (!this.#closed) this.#started?.handlers.onIncident?.(incident);
    }
  }

  /** Tells the owner, unless it closed. */
  onLink(peer: MemberId, up: boolean): void {
    if (!this.#closed) this.#started?.handlers.onLink(peer, up);
  }

  /** Tells the owner, unless it closed. */
  onRefused(peer: MemberId, error: KontikiError): void {
    if (!this.#closed) this.#started?.handlers.onRefused(peer, error);
  }

  /** The refusal of `peer`; `undefined` when it would take `self`, or stays silent. */
  #ask(peer: SimTransport, self: MemberIdentity): Promise<KontikiError | undefined> {
    const answer = new Deferred<KontikiError | undefined>();
    this.incarnation.schedule(probeTimeoutUs, () => answer.resolve(undefined));
    const there = this.network.path({ from: this.machine, to: peer.machine });
    const back = this.network.path({ from: peer.machine, to: this.machine });
    if (there.blocked || back.blocked) return answer.promise;
    peer.incarnation.schedule(there.delayUs(), () => {
      if (peer.closed) return;
      peer.admit(self, true).then(
        () => this.incarnation.schedule(back.delayUs(), () => answer.resolve(undefined)),
        (refusal) => this.incarnation.schedule(back.delayUs(), () => answer.resolve(refusal)),
      );
    });
    return answer.promise;
  }
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, '');
}
