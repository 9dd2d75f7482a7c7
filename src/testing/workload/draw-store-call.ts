/**
 * Draws what clients of a store do: a mix in the proportions of etcd's robustness tests, on few keys,
 * with values that nobody writes twice.
 */
import { unreachable } from '../../base/assert.js';
import { utf8Bytes } from '../../base/bytes.js';
import { isKontikiError } from '../../base/errors.js';
import { type Random, randomInt } from '../../base/prng.js';
import type { KeySelection, OperationResult, TxnCommand } from '../../mvcc/types.js';
import { cmp, op, type TxnOperation } from '../../store/operations.js';
import type { Store } from '../../store/store.js';
import type { TxnOperationResponse } from '../../store/txn.js';
import type { Observed } from '../checkers/observed.js';
import { type CallKind, type CallWeights, drawCallKind } from './call-weights.js';
import type { HeldLease } from './held-lease.js';
import type { LeaseRecord } from './lease-ledger.js';
import { type DrawnCall, type StoreAnswer, versionOf } from './store-call.js';

/** What it takes to put and get. @since 0.1.0 */
export interface KeyMemory {
  readonly random: Random;
  /** Distinct keys in use. */
  readonly keys: number;
  /** A value that was never used. */
  value(): string;
  /** Milliseconds this client waits for an answer. */
  readonly timeoutMs: number;
}

/** What a client knows when it chooses. @since 0.1.0 */
export interface ClientMemory extends KeyMemory {
  /** The newest revision this client was told. */
  readonly revision: number;
  /** The newest compacted revision it was told; 0: none. */
  readonly compactRevision: number;
  /** Leases it was granted and has not given back, by id. */
  readonly leases: Map<bigint, HeldLease>;
  /** A lease id that nobody has in use. */
  leaseId(): bigint;
  /** A lease was granted for a call of then. */
  granted(id: bigint, ttlSeconds: number, sentUs: number): LeaseRecord;
  /** Virtual time. */
  readonly nowUs: number;
  /** Whether a store still runs. */
  runs(store: Store): boolean;
  /** Milliseconds of a read lease; 0: they are not used in this run. */
  readonly leaseMs: number;
  /** In which proportions it makes which calls. */
  readonly calls: CallWeights;
  /** Shortest time to live that a leader grants, and how many are to choose from. */
  readonly leaseSecondsMin: number;
  readonly leaseSeconds: number;
}

/** Within so much of its end a lease is about to run out, in virtual microseconds. */
const endingUs = 100_000;

const draws: { readonly [K in CallKind]: (memory: ClientMemory) => DrawnCall } = {
  put: (memory) => put(memory, undefined),
  putWithLease: (memory) => put(memory, anyOf(memory, [...memory.leases.keys()])),
  get: (memory) => get(memory, undefined),
  getOld: (memory) => get(memory, oldRevision(memory)),
  range,
  delete: (memory) => remove(selectText(anyKey(memory)), memory),
  deleteRange: (memory) => remove(someKeys(memory), memory),
  compareAndSet,
  txn,
  compact,
  grant,
  revoke,
  leaseReads,
  regrant,
};

/** Draws the next call. @since 0.1.0 */
export function drawStoreCall(memory: ClientMemory): DrawnCall {
  return draws[drawCallKind(memory.calls, memory.random)](memory);
}

/** What any member owes that serves: a write and a linearizable read. @since 0.1.0 */
export const freshCalls: readonly ((memory: KeyMemory) => DrawnCall)[] = [
  (memory) => put(memory, undefined),
  (memory) => get(memory, undefined),
];

function put(memory: KeyMemory, lease: bigint | undefined): DrawnCall {
  const key = anyKey(memory);
  const value = memory.value();
  // Absent rather than false, as it is found in the log.
  const previous = randomInt(memory.random, 2) === 0 ? true : undefined;
  const { timeoutMs } = memory;
  return {
    input: { op: 'put', key, value: utf8Bytes(value), lease, previous },
    run: async (store) => {
      const answer = await store.put(key, value, { lease, previous, timeoutMs });
      const { revision, previous: before, partial } = answer;
      // What an answer leaves out is not compared.
      if (partial === true) return { op: 'put', revision };
      return { op: 'put', revision, previous: before && versionOf(before) };
    },
  };
}

function get(memory: KeyMemory, revision: number | undefined): DrawnCall {
  const key = anyKey(memory);
  const { timeoutMs } = memory;
  return {
    input: { op: 'range', keys: selectText(key), revision },
    run: async (store) => {
      const answer = await store.getWithRevision(key, { revision, timeoutMs });
      const kvs = answer.kv === undefined ? [] : [versionOf(answer.kv)];
      return { op: 'range', revision: answer.revision, kvs };
    },
  };
}

function range(memory: ClientMemory): DrawnCall {
  const { keys, from, to } = someKeys(memory);
  const limit = randomInt(memory.random, 2) === 0 ? undefined : 1 + randomInt(memory.random, 3);
  const revision = randomInt(memory.random, 3) === 0 ? oldRevision(memory) : undefined;
  const { timeoutMs } = memory;
  const count = memory.revision % 2 === 0 ? true : undefined;
  return {
    input: { op: 'range', keys, limit, revision, count },
    run: async (store) => {
      const answer = await store.range({ from, to, limit, revision, count, timeoutMs });
      return {
        op: 'range',
        revision: answer.revision,
        more: answer.more,
        count: answer.count,
        kvs: answer.kvs.map(versionOf),
      };
    },
  };
}

function remove(target: KeySelection | SomeKeys, { timeoutMs }: ClientMemory): DrawnCall {
  const keys = 'keys' in target ? target.keys : target;
  const to = keys.lt;
  return {
    input: { op: 'delete', keys, previous: true },
    run: async (store) => {
      const answer = await store.delete({ from: keys.gte, to }, { previous: true, timeoutMs });
      const { revision, deleted, previous = [], partial } = answer;
      if (partial === true) return { op: 'delete', revision, deleted };
      return { op: 'delete', revision, deleted, previous: previous.map(versionOf) };
    },
  };
}

/** Puts a key if it is as old as a revision this client was told of. */
function compareAndSet(memory: ClientMemory): DrawnCall {
  const key = anyKey(memory);
  const value = memory.value();
  const at = Math.max(0, memory.revision - randomInt(memory.random, 3));
  const operand = randomInt(memory.random, 4) === 0 ? 0 : at;
  return transaction(memory, {
    compares: [cmp.modRevision(key).eq(operand)],
    success: [op.put(key, value)],
    failure: [op.get(key)],
  });
}

/** Operations on keys of which some may be the same, and on the past, which may be compacted. */
function txn(memory: ClientMemory): DrawnCall {
  const first = anyKey(memory);
  const second = anyKey(memory);
  const past = randomInt(memory.random, 3) === 0 ? oldRevision(memory) : undefined;
  return transaction(memory, {
    compares: [cmp.version(first).gt(randomInt(memory.random, 3))],
    success: [
      op.delete(first, { previous: true }),
      op.get(second),
      op.txn({
        if: [cmp.createRevision(second).gt(0)],
        do: second === first ? [op.get(first)] : [op.put(second, memory.value())],
        else: [op.range({ prefix: '' })],
      }),
    ],
    failure: [
      op.put(first, memory.value(), { previous: true }),
      op.range({ prefix: 'k', revision: past }),
    ],
  });
}

function transaction(
  { timeoutMs }: ClientMemory,
  parts: {
    readonly compares: TxnCommand['compares'];
    readonly success: readonly TxnOperation[];
    readonly failure: readonly TxnOperation[];
  },
): DrawnCall {
  const { compares, success, failure } = parts;
  const operations = (list: typeof success) => list.map(({ operation }) => operation);
  return {
    input: { op: 'txn', compares, success: operations(success), failure: operations(failure) },
    run: async (store) => {
      const builder = store
        .txn()
        .if(...compares)
        .do(...success)
        .else(...failure);
      const { succeeded, revision, results, partial } = await builder.commit({ timeoutMs });
      if (partial === true) return { op: 'txn', succeeded, revision };
      return { op: 'txn', succeeded, revision, results: results.map(resultOf) } as StoreAnswer;
    },
  };
}

function compact(memory: ClientMemory): DrawnCall {
  const revision = Math.max(1, memory.revision + randomInt(memory.random, 8) - 6);
  const { timeoutMs } = memory;
  return {
    input: { op: 'compact', revision },
    run: async (store) => ({ op: 'compact', ...(await store.compact(revision, { timeoutMs })) }),
  };
}

function grant(memory: ClientMemory, id = memory.leaseId()): DrawnCall {
  const ttlSeconds = memory.leaseSecondsMin + randomInt(memory.random, memory.leaseSeconds);
  const { timeoutMs } = memory;
  return {
    input: { op: 'lease-grant', id, ttlSeconds },
    run: async (store) => {
      const sentUs = memory.nowUs;
      const lease = await store.lease(ttlSeconds, { id, timeoutMs });
      const record = memory.granted(id, lease.ttlSeconds, sentUs);
      memory.leases.set(id, { lease, store, record });
      return { op: 'lease-grant', lease: { id: lease.id } };
    },
  };
}

/** Gives a lease back, or a key that may have one gets rid of it. */
function revoke(memory: ClientMemory): DrawnCall {
  const held = liveLease(memory);
  if (held === undefined) return put(memory, undefined);
  const { id, _generation: generation } = held.lease;
  const { timeoutMs } = memory;
  return {
    input: { op: 'lease-revoke', id, generation },
    service: held.store,
    run: async () => {
      held.record.isRevoked = true;
      const { revision, deleted } = await held.lease.revoke({ timeoutMs });
      // Else it is kept, and keys are put with it, although it may be gone.
      memory.leases.delete(id);
      return { op: 'lease-revoke', revision, deleted };
    },
  };
}

/**
 * Gives a lease back and is granted it anew, in one go and at about the time when it runs out: the leader's
 * word that it did comes behind both, and is about the one before.
 */
function regrant(memory: ClientMemory): DrawnCall {
  const held = [...memory.leases.values()].find((each) => isEnding(each, memory));
  if (held === undefined) return put(memory, undefined);
  const { timeoutMs } = memory;
  const { input, run } = grant(memory, held.lease.id);
  return {
    input,
    service: held.store,
    run: (store) => {
      // What becomes of it shows in the log; the grant behind it is refused where it is not taken.
      held.record.isRevoked = true;
      held.lease.revoke({ timeoutMs }).catch(() => undefined);
      return run(store);
    },
  };
}

function isEnding({ record, store }: HeldLease, memory: ClientMemory): boolean {
  const leftUs = record.sentUs + record.ttlUs - memory.nowUs;
  return memory.runs(store) && Math.abs(leftUs) < endingUs;
}

/** Switches lease reads, mostly on, in runs that use them. */
function leaseReads(memory: ClientMemory): DrawnCall {
  if (memory.leaseMs === 0) return put(memory, undefined);
  const isOn = randomInt(memory.random, 4) > 0;
  const { timeoutMs } = memory;
  return {
    input: { op: 'read-lease', leaseMs: isOn ? memory.leaseMs : 0 },
    run: async (store) => {
      await store.setLeaseReads(isOn, { timeoutMs });
      return { op: 'read-lease' };
    },
  };
}

/** A lease of the client that can be renewed or given back: its store runs. @since 0.1.0 */
export function liveLease(memory: ClientMemory): HeldLease | undefined {
  const live = [...memory.leases.values()].filter(({ store }) => memory.runs(store));
  return anyOf(memory, live);
}

/** What the keyspace itself refuses is an answer like any other; all else is thrown on. @since 0.1.0 */
export function refusalOf(error: unknown): StoreAnswer | undefined {
  if (isKontikiError(error, 'COMPACTED')) return { code: 'COMPACTED' };
  if (isKontikiError(error, 'FUTURE_REVISION')) return { code: 'FUTURE_REVISION' };
  if (isKontikiError(error, 'LEASE_NOT_FOUND')) return { code: 'LEASE_NOT_FOUND' };
  if (isKontikiError(error, 'LEASE_EXISTS')) return { code: 'LEASE_EXISTS' };
  return undefined;
}

/** An answer inside a transaction, as the keyspace gives it. */
function resultOf(response: TxnOperationResponse): Observed<OperationResult> {
  switch (response.op) {
    case 'put':
      return { ...response, previous: response.previous && versionOf(response.previous) };
    case 'delete':
      return { ...response, previous: response.previous?.map(versionOf) };
    case 'get': {
      const kvs = response.kv === undefined ? [] : [versionOf(response.kv)];
      return { op: 'range', revision: response.revision, kvs };
    }
    case 'range':
      return { ...response, kvs: response.kvs.map(versionOf) };
    case 'txn':
      return { ...response, results: response.results.map(resultOf) };
    default:
      return unreachable(response);
  }
}

interface SomeKeys {
  readonly keys: KeySelection;
  readonly from: string;
  readonly to: string;
}

function someKeys({ random, keys }: ClientMemory): SomeKeys {
  const from = keyName(randomInt(random, keys));
  const to = keyName(randomInt(random, keys + 1));
  return { keys: { gte: from, lt: to }, from, to };
}

function anyKey({ random, keys }: KeyMemory): string {
  return keyName(randomInt(random, keys));
}

/** Two digits, so that the order of the keys is that of their numbers. @since 0.1.0 */
export function keyName(at: number): string {
  return `k${String(at).padStart(2, '0')}`;
}

/** Nothing but this key. @since 0.1.0 */
export function selectText(key: string): KeySelection {
  return { gte: key, lt: `${key}\0` };
}

/** In the past, now and then in the future, and often where compaction has just been. */
function oldRevision({ compactRevision, random, revision }: ClientMemory): number {
  const isAtEdge = compactRevision > 0 && randomInt(random, 4) === 0;
  if (isAtEdge) return Math.max(1, compactRevision - 1 + randomInt(random, 3));
  return Math.max(1, revision - randomInt(random, 20) + randomInt(random, 3));
}

function anyOf<T>({ random }: ClientMemory, choices: readonly T[]): T | undefined {
  return choices.length === 0 ? undefined : choices[randomInt(random, choices.length)];
}
