/**
 * Decides when leases end, on the member that leads, by its monotonic clock (DESIGN §4.19). Nothing
 * ends by this decision: it is proposed, with the term and the generation it is about, and applied
 * like everything else. What rests on what:
 *
 * - A leader watches once it has applied everything of the terms before (`readIndex`), and gives every
 *   lease what the log says it has left, from then on: so a failover never shortens one.
 * - A keep-alive counts once a quorum confirmed, after it came, that this member leads; no read lease
 *   stands in for it, for it promises more than what was so. Whoever leads next was elected later than that and counts from later still. If the log has a checkpoint of the
 *   lease, a reset is applied before the keep-alive is answered.
 * - A revoke under way decides first: a keep-alive of that lease waits for it (etcd incident 20616).
 */
import { type Clock, type Timer, type Timers, timerMsMax } from '../base/clock.js';
import { Deferred } from '../base/deferred.js';
import { isKontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { sleep } from '../base/sleep.js';
import type { LeaseName, LeaseTime } from '../codec/lease-question-codec.js';
import type { Keyspace } from '../mvcc/keyspace.js';
import type { LeaseCheckpoint, LeaseCommand, LeaseResult } from '../mvcc/lease-types.js';
import type { Node } from '../node/index.js';
import { LeaseWatch, type WatchedLease } from './lease-watch.js';
import { proposeInTerm } from './propose-in-term.js';

/** @since 0.1.0 */
export interface LeaseExpiryParts {
  readonly node: Pick<Node, 'leadTerm' | 'readIndex' | 'propose'>;
  /** The keyspace as it is now; another one after a restore. */
  readonly keyspace: () => Pick<Keyspace, 'leases' | 'lease'>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** How much a failover can extend a long lease by, beside the time it takes. */
  readonly checkpointIntervalMs: number;
  /** None ends or is noted, and none can be kept alive or asked about; default false. */
  readonly keepsLeases?: boolean | undefined;
}

/** One term of leading. */
interface Reign {
  readonly term: number;
  readonly watch: LeaseWatch;
  /** Resolves once it watches; rejects when it is over. */
  readonly ready: Deferred<void>;
}

const retryMs = 1_000;

/** @since 0.1.0 */
export class LeaseExpiry {
  readonly #parts: LeaseExpiryParts;
  #reign: Reign | undefined;
  #timer: Timer | undefined;
  #isPassing = false;
  #revokes = 0;
  #isClosed = false;

  constructor(parts: LeaseExpiryParts) {
    this.#parts = parts;
  }

  /** Role or term may have changed. */
  check(): void {
    const { node, keepsLeases = false } = this.#parts;
    const term = this.#isClosed || keepsLeases ? 0 : node.leadTerm;
    if ((this.#reign?.term ?? 0) === term) return;
    this.#disarm();
    this.#reign?.ready.reject(leaderChanged());
    this.#reign = undefined;
    if (term === 0) return;
    const watch = new LeaseWatch(this.#parts.checkpointIntervalMs);
    const reign: Reign = { term, watch, ready: new Deferred() };
    reign.ready.promise.catch(() => undefined);
    this.#reign = reign;
    void this.#begin(reign);
  }

  /** A lease command was applied on this member. */
  applied(result: LeaseResult): void {
    const reign = this.#reign;
    if (reign === undefined || !reign.ready.settled) return;
    if (result.op === 'lease-grant') {
      reign.watch.add(result.lease, this.#parts.clock.monotonicMs());
      this.#arm(reign);
    } else if (result.op === 'lease-revoke') reign.watch.remove(result.id);
  }

  /**
   * Renews leases, all of which came before this call.
   *
   * @returns TTL in seconds of each, 0 for one that is not there
   * @throws {KontikiError} LEADER_CHANGED, and what a read or a write may reject with: ask again
   */
  async keepAlive(names: readonly LeaseName[]): Promise<number[]> {
    const { keyspace } = this.#parts;
    const reign = await this.#leading();
    const leases = await this.#renew(reign, names);
    const noted = leases
      .filter((lease) => lease !== undefined)
      .filter(({ id, isNoted }) => isNoted || keyspace().lease(id)?.remainingMs !== 0);
    if (noted.length > 0) await this.#reset(reign, noted);
    return leases.map((it) => (it !== undefined && reign.watch.has(it) ? it.ttlSeconds : 0));
  }

  /**
   * How long a lease has left at least, whoever leads; `undefined` when it is not there.
   *
   * @throws {KontikiError} as {@link keepAlive}
   */
  async timeToLive({ id, generation }: LeaseName): Promise<LeaseTime | undefined> {
    const reign = await this.#leading();
    await this.#parts.node.readIndex();
    this.#mustBe(reign);
    const lease = reign.watch.get(id);
    if (lease === undefined || !isMeant(lease, generation)) return undefined;
    // A renewal that is not in the log yet is none to the next leader.
    const leftMs = Math.min(lease.expiryMs - this.#parts.clock.monotonicMs(), lease.notedMs);
    return { ttlSeconds: lease.ttlSeconds, remainingMs: Math.max(0, Math.floor(leftMs)) };
  }

  close(): void {
    this.#isClosed = true;
    this.check();
  }

  /**
   * Renews what is there, once no revoke of it is under way. Those that have none do not wait for the
   * others: a message is a way to travel, and each keep-alive stands alone (etcd
   * server/lease/lessor.go, `Renew`). What is renewed before a deposed leader fails the call is in
   * its own memory alone.
   */
  async #renew(reign: Reign, names: readonly LeaseName[]): Promise<(WatchedLease | undefined)[]> {
    const { node, clock } = this.#parts;
    for (;;) {
      await node.readIndex({ byQuorum: true });
      this.#mustBe(reign);
      const nowMs = clock.monotonicMs();
      const leases = names.map(({ id, generation }) => {
        const lease = reign.watch.get(id);
        if (lease === undefined || !isMeant(lease, generation)) return undefined;
        if (lease.ending === undefined) reign.watch.renew(lease, nowMs);
        return lease;
      });
      const endings = leases.flatMap((lease) => lease?.ending ?? []);
      if (endings.length === 0) return leases;
      await Promise.race(endings);
    }
  }

  async #begin(reign: Reign): Promise<void> {
    const { clock, keyspace } = this.#parts;
    while (this.#is(reign)) {
      const isConfirmed = await this.#confirm();
      if (!this.#is(reign)) return;
      if (isConfirmed) break;
      await sleep(this.#parts.timers, 50);
    }
    if (!this.#is(reign)) return;
    const nowMs = clock.monotonicMs();
    for (const lease of keyspace().leases()) reign.watch.add(lease, nowMs);
    reign.ready.resolve();
    this.#arm(reign);
  }

  /** One timer, at the first thing due. */
  #arm(reign: Reign): void {
    const { clock, timers } = this.#parts;
    if (!this.#is(reign)) return;
    this.#disarm();
    const dueMs = reign.watch.firstDueMs;
    if (dueMs === undefined || this.#isPassing) return;
    if (this.#revokes >= limits.leaseRevokesMax) return;
    const delayMs = Math.min(Math.max(dueMs - clock.monotonicMs(), 0), timerMsMax);
    this.#timer = timers.after(delayMs, () => void this.#pass(reign));
  }

  #armCurrent(): void {
    if (this.#reign?.ready.settled) this.#arm(this.#reign);
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Never rejects. */
  async #pass(reign: Reign): Promise<void> {
    this.#isPassing = true;
    // A stalled leader first hears whether it still is one, and what waits in its inbox: a keep-alive
    // that came in time is not to be overtaken by the timer that fires late with it.
    const isConfirmed = await this.#confirm();
    if (isConfirmed && this.#is(reign)) this.#handleDue(reign, this.#parts.clock.monotonicMs());
    else if (this.#is(reign)) await sleep(this.#parts.timers, retryMs);
    this.#isPassing = false;
    this.#armCurrent();
  }

  #handleDue(reign: Reign, nowMs: number): void {
    const room = limits.leaseRevokesMax - this.#revokes;
    const toNote: LeaseCheckpoint[] = [];
    for (const lease of reign.watch.takeDue(nowMs, room)) {
      if (lease.expiryMs <= nowMs) {
        lease.ending = this.#expire(reign, lease);
      } else if (lease.resets > 0) {
        reign.watch.putBack(lease, nowMs + retryMs);
      } else {
        const { id, generation } = lease;
        toNote.push({ id, generation, remainingMs: reign.watch.note(lease, nowMs) });
      }
    }
    // Whatever became of it: the lease counts as noted, and its next keep-alive resets it.
    if (toNote.length > 0) this.#checkpoint(reign, toNote).catch(() => undefined);
  }

  /** Never rejects. */
  async #expire(reign: Reign, lease: WatchedLease): Promise<void> {
    const { id, generation } = lease;
    const { term } = reign;
    let isCertain = true;
    this.#revokes += 1;
    while (this.#is(reign) && reign.watch.has(lease)) {
      try {
        await this.#propose(reign, { op: 'lease-revoke', id, expired: { term, generation } });
      } catch (error) {
        isCertain &&= isKontikiError(error) && error.outcome === 'rejected';
        if (isCertain) break;
        // One that may still take effect must not be overtaken by a keep-alive: on until it is known.
        await sleep(this.#parts.timers, retryMs);
      }
    }
    this.#revokes -= 1;
    lease.ending = undefined;
    reign.watch.putBack(lease, this.#parts.clock.monotonicMs() + retryMs);
    this.#armCurrent();
  }

  async #reset(reign: Reign, leases: readonly WatchedLease[]): Promise<void> {
    for (const lease of leases) lease.resets += 1;
    try {
      const whole = leases.map(({ id, generation }) => ({ id, generation, remainingMs: 0 }));
      await this.#checkpoint(reign, whole);
      for (const lease of leases) {
        lease.isNoted = false;
        lease.notedMs = Number.POSITIVE_INFINITY;
      }
    } finally {
      for (const lease of leases) lease.resets -= 1;
    }
  }

  #checkpoint(reign: Reign, leases: readonly LeaseCheckpoint[]): Promise<unknown> {
    return this.#propose(reign, { op: 'lease-checkpoint', term: reign.term, leases });
  }

  /** To this member's own log, in this very term, or not at all. */
  #propose({ term }: Reign, command: LeaseCommand): Promise<unknown> {
    return proposeInTerm(this.#parts.node, term, command);
  }

  /** Whether a quorum confirmed after this call that this member leads. Never rejects. */
  async #confirm(): Promise<boolean> {
    try {
      await this.#parts.node.readIndex({ byQuorum: true });
      return true;
    } catch {
      return false;
    }
  }

  async #leading(): Promise<Reign> {
    this.check();
    const reign = this.#reign;
    if (reign === undefined) throw leaderChanged();
    await reign.ready.promise;
    return reign;
  }

  #is(reign: Reign): boolean {
    return this.#reign === reign && this.#parts.node.leadTerm === reign.term;
  }

  #mustBe(reign: Reign): void {
    if (!this.#is(reign)) throw leaderChanged();
  }
}

function isMeant(lease: WatchedLease, generation: number): boolean {
  return generation === 0 || generation === lease.generation;
}

function leaderChanged() {
  return kontikiError('LEADER_CHANGED', 'store: this member does not lead');
}
