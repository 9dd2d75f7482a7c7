/**
 * What clients were told of their leases, held against when the log ended them: L2, L5 and L6 of
 * reliability §4. True time is known here, so each clock's drift is allowed for and nothing else.
 */
import { decodeCommand } from '../../codec/command-codec.js';
import type { LeaseCheckpointCommand } from '../../mvcc/lease-types.js';
import type { ApplyResult, Entry } from '../../node/index.js';
import type { StoreStep } from '../invariants/store-step.js';
import type { Untimed } from './store-watch.js';

/** Twice what one clock may drift by: grants and expiries are timed by different ones. @since 0.1.0 */
export const driftPpm = 1_000;

/** A lease in the hands of the client that it was granted to. @since 0.1.0 */
export interface LeaseRecord {
  readonly id: bigint;
  readonly ttlUs: number;
  /** When the newest grant or keep-alive that succeeded was asked for, in virtual microseconds. */
  sentUs: number;
  /** When the log ended it. */
  endedUs: number | undefined;
  /** Its client asked to revoke it: its object calls it gone from then on, whatever the leader says. */
  isRevoked: boolean;
}

/** @since 0.1.0 */
export class LeaseLedger {
  readonly #violated: (id: string, message: string) => void;
  readonly #observe: ((step: Untimed<StoreStep>) => void) | undefined;
  /** The newest record of each id. */
  readonly #records = new Map<bigint, LeaseRecord>();
  /** What the log has, by id. */
  readonly #alive = new Map<bigint, { readonly generation: number; readonly ttlUs: number }>();
  #keptAlive = 0;
  #expired = 0;

  /**
   * @param violated - told of promises that were broken
   * @param observe - takes what is known for certain of leases: ids are used again
   */
  constructor(
    violated: (id: string, message: string) => void,
    observe?: (step: Untimed<StoreStep>) => void,
  ) {
    this.#violated = violated;
    this.#observe = observe;
  }

  /** Keep-alives that succeeded. */
  get keptAlive(): number {
    return this.#keptAlive;
  }

  /** Leases that ended because nobody renewed them. */
  get expired(): number {
    return this.#expired;
  }

  /** Leases that exist, by the log. */
  get aliveCount(): number {
    return this.#alive.size;
  }

  /** A client was granted a lease, before anything else is done with it. */
  granted(id: bigint, ttlSeconds: number, sentUs: number): LeaseRecord {
    const record = { id, ttlUs: ttlSeconds * 1e6, sentUs, endedUs: undefined, isRevoked: false };
    // It may have been ended before its client heard of it.
    if (this.#alive.has(id)) {
      this.#records.set(id, record);
      this.#observe?.({ kind: 'lease-granted', lease: id, ttlUs: record.ttlUs, sentUs });
    }
    return record;
  }

  /** A keep-alive succeeded. */
  renewed(record: LeaseRecord, sentUs: number): void {
    this.#keptAlive += 1;
    const { endedUs = Infinity, id, ttlUs } = record;
    if (endedUs < sentUs) {
      this.#violated('L5', `lease ${id} was renewed at ${sentUs} us, it had ended at ${endedUs}`);
    }
    record.sentUs = Math.max(record.sentUs, sentUs);
    // What another lease of the same id was promised is not known.
    if (this.#records.get(id) !== record) return;
    this.#observe?.({ kind: 'lease-renewed', lease: id, ttlUs, sentUs });
  }

  /** A keep-alive was told that there is no such lease. */
  missed(record: LeaseRecord, nowUs: number): void {
    const { endedUs, id, isRevoked } = record;
    if (isRevoked || endedUs !== undefined || this.#records.get(id) !== record) return;
    this.#violated('L5', `lease ${id} was called gone at ${nowUs} us, it was alive`);
  }

  /** Some member applied an entry before all others, one that takes effect. */
  applied({ data, index, term }: Entry, { value }: ApplyResult, nowUs: number): void {
    if (typeof value !== 'object' || value === null || !('op' in value)) return;
    if (!isLeaseOp(value.op)) return;
    const { command } = decodeCommand(data);
    if (command.op === 'lease-grant') {
      const { id: lease, ttlSeconds } = command;
      const ttlUs = ttlSeconds * 1e6;
      this.#alive.set(lease, { generation: index, ttlUs });
      this.#observe?.({ kind: 'lease-began', lease, index, ttlUs });
    } else if (command.op === 'lease-revoke') {
      const { id: lease, expired: decided } = command;
      const hadKeys = 'deleted' in value && value.deleted !== 0;
      const revision = hadKeys && 'revision' in value ? Number(value.revision) : 0;
      const reason = decided === undefined ? 'revoked' : 'expired';
      this.#ended(lease, decided !== undefined, nowUs);
      this.#observe?.({ kind: 'lease-ended', lease, revision, reason, term, decided });
    } else if (command.op === 'lease-checkpoint') this.#noted(command);
  }

  #noted({ leases }: LeaseCheckpointCommand): void {
    for (const { id: lease, generation, remainingMs } of leases) {
      const known = this.#alive.get(lease);
      if (known?.generation !== generation) continue;
      const leftUs = remainingMs === 0 ? known.ttlUs : remainingMs * 1_000;
      this.#observe?.({ kind: 'lease-noted', lease, leftUs });
    }
  }

  #ended(id: bigint, isExpired: boolean, nowUs: number): void {
    this.#alive.delete(id);
    if (isExpired) this.#expired += 1;
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#records.delete(id);
    record.endedUs = nowUs;
    const leastUs = record.sentUs + (record.ttlUs * (1e6 - driftPpm)) / 1e6;
    if (!isExpired || nowUs >= leastUs) return;
    this.#violated('L2', `lease ${id} expired at ${nowUs} us, expected not before ${leastUs}`);
  }
}

function isLeaseOp(op: unknown): boolean {
  return op === 'lease-grant' || op === 'lease-revoke' || op === 'lease-checkpoint';
}
