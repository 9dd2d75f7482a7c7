/**
 * The leases of one store: grants them, hands out their objects, and answers for them while this
 * member leads.
 */

import { type BinaryString, binaryBytes } from '../base/bytes.js';
import type { Clock, Timers } from '../base/clock.js';
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import type { Random } from '../base/prng.js';
import {
  encodeLeaseAnswer,
  type LeaseName,
  type LeaseQuestion,
} from '../codec/lease-question-codec.js';
import type { Keyspace } from '../mvcc/keyspace.js';
import type {
  LeaseEntry,
  LeaseGrantResult,
  LeaseResult,
  LeaseRevokeResult,
} from '../mvcc/lease-types.js';
import type { Query } from '../mvcc/query.js';
import type { Command } from '../mvcc/types.js';
import type { Node } from '../node/index.js';
import {
  callOptionNames,
  checkBoolean,
  checkCallOptions,
  checkLeaseId,
  checkOptions,
  checkRequired,
} from './arguments.js';
import { CallTime } from './call-time.js';
import type { CallOptions } from './kv-client.js';
import { Lease, type LeaseStatus, type TimeToLiveOptions } from './lease.js';
import { LeaseClient } from './lease-client.js';
import { LeaseExpiry } from './lease-expiry.js';

/** @since 0.1.0 */
export interface LeaseOptions extends CallOptions {
  /** Any int64 but 0 that no lease has, else `LEASE_EXISTS`; default: drawn at random. */
  readonly id?: bigint | undefined;
  /** Keep it alive from here on, a third of its TTL after the other; default false. */
  readonly keepAlive?: boolean | undefined;
}

/** @since 0.1.0 */
export interface FindLeaseOptions extends CallOptions {
  /** Keep it alive from here on, a third of its TTL after the other; default false. */
  readonly keepAlive?: boolean | undefined;
}

/** One of `store.leases`. @since 0.1.0 */
export interface LeaseInfo {
  readonly id: bigint;
  readonly ttlSeconds: number;
}

/** @since 0.1.0 */
export interface LeasesParts {
  readonly node: Pick<Node, 'ask' | 'leadTerm' | 'readIndex' | 'propose' | 'electionMs'>;
  readonly keyspace: () => Keyspace;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly checkpointIntervalMs: number;
  /** See `LeaseExpiryParts`. */
  readonly keepsLeases?: boolean | undefined;
  readonly timeoutMs: number;
  /** Throws when this member answers nobody. */
  readonly checkServing: () => void;
  /** The store's. */
  readonly write: (command: Command, options: CallOptions) => Promise<unknown>;
  readonly catchUp: (time: CallTime) => Promise<void>;
  /** Ends `time`. */
  readonly run: <R>(start: (keyspace: Keyspace) => Query<R>, time: CallTime) => Promise<R>;
}

const leaseOptionNames = [...callOptionNames, 'id', 'keepAlive'];
const findLeaseNames = [...callOptionNames, 'keepAlive'];
const timeToLiveNames = [...callOptionNames, 'keys'];
/** How often an id that turned out to be taken is drawn anew. */
const drawsMax = 3;

/** @since 0.1.0 */
export class Leases {
  readonly #parts: LeasesParts;
  readonly #client: LeaseClient;
  readonly #expiry: LeaseExpiry;
  readonly #open = new Set<Lease>();
  #closed: KontikiError | undefined;

  constructor(parts: LeasesParts) {
    this.#parts = parts;
    this.#client = new LeaseClient(parts);
    this.#expiry = new LeaseExpiry(parts);
  }

  /** Role, term or leader may have changed. */
  check(): void {
    this.#expiry.check();
  }

  /** A lease command was applied on this member. */
  applied(result: LeaseResult): void {
    this.#expiry.applied(result);
  }

  /**
   * Grants a lease; see `Store.lease`.
   *
   * @throws {KontikiError} ARGUMENT_INVALID, LEASE_EXISTS, and as every write
   */
  async grant(ttlSeconds: number, options: LeaseOptions): Promise<Lease> {
    checkOptions(options, leaseOptionNames, 'lease');
    checkBoolean(options.keepAlive, 'keepAlive');
    checkCallOptions(options);
    checkLeaseId(options.id);
    const ttl = this.#raised(ttlSeconds);
    for (let draw = 1; ; draw += 1) {
      const id = options.id ?? this.#drawId();
      const sentMs = this.#parts.clock.monotonicMs();
      try {
        const command = { op: 'lease-grant', id, ttlSeconds: ttl } as const;
        const result = (await this.#parts.write(command, options)) as LeaseGrantResult;
        return this.#hold(result.lease, sentMs, options.keepAlive === true);
      } catch (error) {
        const isTaken = options.id === undefined && isKontikiError(error, 'LEASE_EXISTS');
        if (!isTaken || draw === drawsMax) throw error;
      }
    }
  }

  /**
   * A lease that is there; see `Store.findLease`.
   *
   * @throws {KontikiError} ARGUMENT_INVALID, and as every read
   */
  async find(id: bigint, options: FindLeaseOptions): Promise<Lease | undefined> {
    checkOptions(options, findLeaseNames, 'findLease');
    checkBoolean(options.keepAlive, 'keepAlive');
    checkCallOptions(options);
    checkRequired(id, 'id');
    checkLeaseId(id);
    const { clock, keyspace } = this.#parts;
    const time = new CallTime(this.#parts, options);
    await this.#parts.catchUp(time);
    const entry = keyspace().lease(id);
    if (entry === undefined) return undefined;
    const askedMs = clock.monotonicMs();
    const { generation } = entry;
    const left = await this.#client.timeToLive({ id, generation }, time.left);
    if (left === undefined) return undefined;
    // An alarm since then has lost all that were held here.
    this.#parts.checkServing();
    const { ttlSeconds } = left;
    // It is as if it had been renewed so long ago that this is what is left.
    const renewedMs = askedMs + left.remainingMs - 1_000 * ttlSeconds;
    return this.#hold({ ...entry, ttlSeconds }, renewedMs, options.keepAlive === true);
  }

  /**
   * All leases, by id.
   *
   * @throws {KontikiError} as every read
   */
  async list(options: CallOptions): Promise<LeaseInfo[]> {
    checkOptions(options, callOptionNames, 'leases');
    checkCallOptions(options);
    await this.#parts.catchUp(new CallTime(this.#parts, options));
    const leases = [...this.#parts.keyspace().leases()];
    leases.sort((a, b) => (a.id < b.id ? -1 : 1));
    return leases.map(({ id, ttlSeconds }) => ({ id, ttlSeconds }));
  }

  /** Every lease handed out is lost to its holder. */
  lose(reason: KontikiError): void {
    for (const lease of [...this.#open]) lease._lose(reason);
  }

  /** Nobody can renew a lease here any more. */
  close(reason: KontikiError): void {
    this.#closed ??= reason;
    this.#expiry.close();
    this.lose(reason);
  }

  #hold({ id, ttlSeconds, generation }: LeaseEntry, sentMs: number, isKept: boolean): Lease {
    const { clock, timers } = this.#parts;
    // Its id may be another lease's by the time that one of these is called.
    const name = { id, generation };
    const lease = new Lease(
      {
        ...{ id, ttlSeconds, generation, sentMs, clock, timers },
        keepAlive: (options) => {
          checkOptions(options, callOptionNames, 'keepAlive');
          return this.#client.keepAlive(name, this.#checked(options));
        },
        revoke: async (options, onSend) => {
          checkOptions(options, callOptionNames, 'revoke');
          checkCallOptions(options);
          options.signal?.throwIfAborted();
          onSend();
          const command = { op: 'lease-revoke', ...name } as const;
          const result = (await this.#parts.write(command, options)) as LeaseRevokeResult;
          return { revision: result.revision, deleted: result.deleted };
        },
        timeToLive: (options) => this.#timeToLive(name, options),
        onEnd: (ended) => this.#open.delete(ended),
      },
      isKept,
    );
    if (!lease.lost.aborted) this.#open.add(lease);
    // Granted in the moment of closing: nobody would end its timers.
    if (this.#closed !== undefined) lease._lose(this.#closed);
    return lease;
  }

  async #timeToLive(name: LeaseName, options: TimeToLiveOptions): Promise<LeaseStatus | undefined> {
    checkOptions(options, timeToLiveNames, 'timeToLive');
    checkBoolean(options.keys, 'keys');
    checkCallOptions(options);
    this.#parts.checkServing();
    const time = new CallTime(this.#parts, options);
    const isWithKeys = options.keys === true;
    const left = await this.#client.timeToLive(name, time.left);
    if (left === undefined || !isWithKeys) return left;
    await this.#parts.catchUp(time);
    const keys = await this.#parts.run((keyspace) => keysOf(name, keyspace), time);
    return keys && { ...left, keys: keys.map(binaryBytes) };
  }

  /** The leader's: what members ask. */
  async answer(question: LeaseQuestion): Promise<Uint8Array> {
    if (question.kind === 'keep-alive') {
      return encodeLeaseAnswer(await this.#expiry.keepAlive(question.leases));
    }
    const time = await this.#expiry.timeToLive(question);
    return encodeLeaseAnswer(time === undefined ? [] : [time.ttlSeconds, time.remainingMs]);
  }

  #checked(options: CallOptions) {
    checkCallOptions(options);
    const { timeoutMs = this.#parts.timeoutMs, signal } = options;
    return { timeoutMs, signal };
  }

  /** At least one and a half election timeouts, or a failover could outlast every lease. */
  #raised(ttlSeconds: number): number {
    if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1) {
      const message = `store: expected ttlSeconds to be an integer from 1, got ${ttlSeconds}`;
      throw kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
    }
    return Math.max(ttlSeconds, Math.ceil((1.5 * this.#parts.node.electionMs) / 1_000));
  }

  /** From 1 to 2^63 - 1. */
  #drawId(): bigint {
    const { random } = this.#parts;
    const high = BigInt(random.u32() & 0x7fffffff);
    const id = (high << 32n) | BigInt(random.u32());
    return id === 0n ? 1n : id;
  }
}

/** The lease is looked up in the turn in which its keys are: it may have ended since it had time left. */
function keysOf(
  { id, generation }: LeaseName,
  keyspace: Keyspace,
): Query<readonly BinaryString[] | undefined> {
  if (keyspace.lease(id)?.generation === generation) return keyspace.leaseKeysQuery(id);
  return { done: true, result: undefined };
}
