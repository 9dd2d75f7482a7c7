/**
 * The outgoing connection of one simulated transport to one peer: dialing, handshake, delivery,
 * falling, dialing again.
 *
 * A reset (the peer's process ended) is seen after one delay. Silence (a partition, a machine without
 * power) is only seen after the link timeout, as on a real network.
 */
import type { Timer } from '../base/clock.js';
import { isKontikiError, type KontikiError } from '../base/errors.js';
import { randomInt } from '../base/prng.js';
import { encodeWireMessage } from '../codec/wire-codec.js';
import type { WireMessage } from '../codec/wire-message.js';
import type { MemberId } from '../raft/types.js';
import type { SimPath } from './sim-path.js';
import type { SimTransport } from './sim-transport.js';

/** Between two attempts to connect: at least, and how much more at most. */
const redial = { minUs: 10_000, spreadUs: 40_000 } as const;

/** An attempt that got no answer is given up. */
const handshakeTimeoutUs = 1_000_000;

/** A message on its way, and what becomes of it there; see `SimPath.damages`. */
interface Frame {
  readonly bytes: Uint8Array;
  readonly damage?: number | undefined;
}

/**
 * One directed link.
 *
 * @since 0.1.0
 */
export class SimLink {
  readonly #owner: SimTransport;
  readonly #peer: MemberId;
  /** The other end while dialing and while up. */
  #target: SimTransport | undefined;
  #up = false;
  /** What the owner was told last. */
  #told: boolean | undefined;
  /** Counts attempts and connections: what belongs to an older one no longer counts. */
  #generation = 0;
  #lastArrivalUs = 0;
  #redial: Timer | undefined;

  /**
   * @param owner - the end that sends
   * @param peer - member at the other end
   */
  constructor(owner: SimTransport, peer: MemberId) {
    this.#owner = owner;
    this.#peer = peer;
  }

  /** The machine at the other end, while it is up. */
  get linkedTo(): string | undefined {
    return this.#up ? this.#target?.machine : undefined;
  }

  /**
   * Tries to connect, now and again until it succeeds. Nothing while it is up or trying. Runs in an
   * event of its own.
   */
  dial(): void {
    if (this.#target !== undefined || this.#owner.closed) return;
    this.#redial?.cancel();
    const target = this.#owner.network.endpoint(this.#peer);
    if (target === undefined || !this.#reaches(target)) return this.#fall();
    if (!this.#owner.looksAt(this.#peer, target.machine)) return this.#fall();
    this.#target = target;
    this.#generation += 1;
    this.#owner.incarnation.schedule(
      handshakeTimeoutUs,
      this.#ifCurrent(() => {
        if (!this.#up) this.#fall();
      }),
    );
    target.incarnation.schedule(
      this.#pathTo(target).delayUs(),
      this.#ifCurrent(() => this.#present(target)),
    );
  }

  /**
   * Puts messages on the wire as one delivery, as one flush of a socket would; loses them while the
   * link is not up.
   *
   * @param messages - all to this peer
   */
  send(messages: readonly WireMessage[]): void {
    const target = this.#target;
    if (target === undefined || !this.#up) return this.#trace('net.no-link', messages.length);
    const path = this.#pathTo(target);
    const batch: Frame[] = [];
    for (const message of messages) {
      if (path.blocked || path.drops() || (isAnswer(message) && path.dropsAnswer())) {
        this.#trace('net.drop', message.kind);
        continue;
      }
      // The encoder's block is shared, and `slice` of a Node buffer would share it too.
      const bytes = new Uint8Array(encodeWireMessage(message));
      const frame = { bytes, damage: path.damages() };
      if (path.duplicates() && isRepeatable(message))
        this.#deliver(target, [{ bytes: bytes.slice() }], 2 * path.delayUs());
      const againUs = message.kind === 'forward-request' ? path.repeatsForward() : undefined;
      if (againUs !== undefined) this.#deliver(target, [{ bytes: bytes.slice() }], againUs);
      if (path.reorder) this.#deliver(target, [frame], path.delayUs());
      else batch.push(frame);
    }
    if (batch.length === 0) return;
    const { nowUs } = this.#owner.incarnation.scheduler;
    this.#lastArrivalUs = Math.max(this.#lastArrivalUs, nowUs + path.delayUs());
    this.#deliver(target, batch, this.#lastArrivalUs - nowUs);
  }

  /**
   * The connection to `target` is being cut. With `reset` its end tells us, or cannot for now and answers
   * nothing that we send; otherwise nobody does, and it falls once it has been silent for the timeout,
   * unless the path heals before.
   */
  cut(target: SimTransport, reset: boolean): void {
    if (this.#target !== target) return;
    const paths = [this.#pathTo(target), this.#pathFrom(target)];
    const changes = paths.map((path) => path.changes);
    const back = this.#pathFrom(target);
    const delayUs = reset && !back.blocked ? back.delayUs() : this.#owner.network.linkTimeoutUs;
    this.#owner.incarnation.schedule(
      delayUs,
      this.#ifCurrent(() => {
        const changed = paths.some((path, at) => path.changes !== changes[at]);
        if (reset || !changed || !target.reachable) this.#fall();
      }),
    );
  }

  /** At the other end: our identity arrived. */
  #present(target: SimTransport): void {
    if (target.closed || !this.#reaches(target)) return;
    const answer = (arrived: () => void): void => {
      const path = this.#pathFrom(target);
      if (path.blocked) return;
      this.#owner.incarnation.schedule(path.delayUs(), this.#ifCurrent(arrived));
    };
    target.admit(this.#owner.identity, false).then(
      () => answer(() => this.#rise(target)),
      (error: KontikiError) =>
        answer(() => {
          this.#trace('net.refused', this.#peer);
          if (!isKontikiError(error, 'TRANSPORT_IO')) this.#owner.onRefused(this.#peer, error);
          this.#fall();
        }),
    );
  }

  #rise(target: SimTransport): void {
    if (!target.reachable) return this.#fall();
    this.#up = true;
    this.#lastArrivalUs = 0;
    this.#told = true;
    this.#trace('net.up', this.#peer);
    this.#owner.onLink(this.#peer, true);
  }

  /** Ends the attempt or the connection; what is in flight on it is lost. */
  #fall(): void {
    this.#up = false;
    this.#target = undefined;
    this.#generation += 1;
    this.#dialLater();
    if (this.#told === false) return;
    this.#told = false;
    this.#trace('net.down', this.#peer);
    this.#owner.onLink(this.#peer, false);
  }

  #dialLater(): void {
    const delayUs = redial.minUs + randomInt(this.#owner.random, redial.spreadUs);
    this.#redial = this.#owner.incarnation.schedule(delayUs, () => this.dial());
  }

  #deliver(target: SimTransport, frames: readonly Frame[], delayUs: number): void {
    const path = this.#pathTo(target);
    const generation = this.#generation;
    target.incarnation.schedule(delayUs, () => {
      if (this.#generation !== generation || path.blocked || target.closed) {
        return this.#trace('net.lost', frames.length);
      }
      for (const { bytes, damage } of frames) {
        if (damage !== undefined) return this.#refuse(target, bytes, damage);
        target.receive(this.#owner.machine, bytes);
      }
    });
  }

  /** The other end finds a frame damaged and closes the connection: what is behind it is lost. */
  #refuse(target: SimTransport, bytes: Uint8Array, damage: number): void {
    const { machine, identity, incarnation, network } = this.#owner;
    target.refuse({ machine, memberId: identity.memberId }, bytes, damage);
    this.#up = false;
    this.#generation += 1;
    const back = this.#pathFrom(target);
    const delayUs = back.blocked ? network.linkTimeoutUs : back.delayUs();
    incarnation.schedule(
      delayUs,
      this.#ifCurrent(() => this.#fall()),
    );
  }

  /** Does nothing once another attempt or connection has begun. */
  #ifCurrent(step: () => void): () => void {
    const generation = this.#generation;
    return () => {
      if (this.#generation === generation) step();
    };
  }

  #reaches(target: SimTransport): boolean {
    return !this.#pathTo(target).blocked && !this.#pathFrom(target).blocked;
  }

  #pathTo(target: SimTransport): SimPath {
    return this.#owner.network.path({ from: this.#owner.machine, to: target.machine });
  }

  #pathFrom(target: SimTransport): SimPath {
    return this.#owner.network.path({ from: target.machine, to: this.#owner.machine });
  }

  #trace(kind: string, detail: string | number): void {
    const { machine, incarnation } = this.#owner;
    incarnation.scheduler.trace(kind, machine, detail);
  }
}

/**
 * A transport delivers at most once, and questions to the leader rest on that. Raft itself does not,
 * and is given more than it can meet; writes that are handed over are repeated by a fault of their own.
 */
function isRepeatable({ kind }: WireMessage): boolean {
  return kind !== 'forward-request' && kind !== 'ask-request';
}

/** Of a leader to who asked it or handed something over; nobody repeats them. */
function isAnswer({ kind }: WireMessage): boolean {
  return kind === 'forward-refusal' || kind === 'read-response' || kind === 'ask-response';
}
