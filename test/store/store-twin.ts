/**
 * A store as its users call it beside the reference model: commands are put into the words of the public
 * interface, and its answers into plain ones.
 */
import { expect } from 'vitest';
import type {
  Compare,
  KeyEvent,
  KeySelection,
  Operation,
  RangeOperation,
  TxnCommand,
} from '../../src/mvcc/index.js';
import { singleKey } from '../../src/mvcc/selection.js';
import { openStore } from '../../src/preset/open-store.js';
import type { KeyValue } from '../../src/store/key-value.js';
import type { KeyRangeOptions, RangeQueryOptions } from '../../src/store/kv-client.js';
import { cmp, op, type TxnOperation } from '../../src/store/operations.js';
import type { Store } from '../../src/store/store.js';
import type { TxnOperationResponse } from '../../src/store/txn.js';
import type { CalledCommand } from '../mvcc/command-arbitraries.js';
import { cut, type Json, plainAnswer, plainEvent, words } from '../mvcc/plain-answer.js';
import { ReferenceModel } from '../mvcc/reference-model.js';

const orders = {
  key: 'key',
  version: 'version',
  value: 'value',
  'create-revision': 'createRevision',
  'mod-revision': 'modRevision',
} as const;

export class StoreTwin {
  readonly model = new ReferenceModel();
  readonly #store: Store;

  private constructor(store: Store) {
    this.#store = store;
  }

  static async open(): Promise<StoreTwin> {
    return new StoreTwin(await openStore({}));
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async run(command: CalledCommand): Promise<void> {
    const { answer } = this.model.execute(command);
    const told = await codeOf(() => this.#execute(command));
    expect(told, words(command)).toEqual(plainAnswer(command, answer));
  }

  async range(range: RangeOperation): Promise<void> {
    const told = await codeOf(async () => {
      const answer = await this.#store.range(rangeOptions(range));
      return cut(range, plainResponse({ op: 'range', ...answer }, true));
    });
    expect(told, words(range)).toEqual(plainAnswer(range, this.model.range(range)));
  }

  async get(key: string, revision: number | undefined): Promise<void> {
    const range: RangeOperation = { op: 'range', keys: { gte: key, lt: `${key}\0` }, revision };
    const told = await codeOf(async () => {
      const { kv, ...at } = await this.#store.getWithRevision(bytes(key), { revision });
      return { op: 'range', ...at, kvs: kv === undefined ? [] : [plainPair(kv)], more: false };
    });
    expect(told, key).toEqual(plainAnswer(range, this.model.range(range)));
  }

  async scan(keys: KeySelection, pageSize: number): Promise<void> {
    const pairs: Json[] = [];
    for await (const kv of this.#store.scan({ ...selected(keys), pageSize })) {
      pairs.push(plainPair(kv));
    }
    const range: RangeOperation = { op: 'range', keys };
    expect(pairs, words(range)).toEqual(plainAnswer(range, this.model.range(range)).kvs);
  }

  async readTxn(txn: TxnCommand): Promise<void> {
    const told = await codeOf(() => this.#txn(txn));
    expect(told, words(txn)).toEqual(plainAnswer(txn, this.model.readTxn(txn)));
  }

  async lease(id: bigint): Promise<void> {
    const lease = await this.#store.findLease(id);
    const status = await lease?.timeToLive({ keys: true });
    expect(status?.ttlSeconds).toBe(this.model.leases.find(id)?.ttlSeconds);
    const live = this.model.stateAt(this.model.revision);
    const keys = status?.keys?.map((key) => Buffer.from(key).toString('latin1')) ?? [];
    expect(keys).toEqual(live.filter((kv) => kv.lease === id).map(({ key }) => key));
    const listed = (await this.#store.leases()).map((each) => each.id);
    const known = this.model.leases.leases.map((each) => each.id);
    expect(listed).toEqual(known.sort((a, b) => (a < b ? -1 : 1)));
  }

  /** What a watch tells up to now, by its end: a bookmark of the newest revision. */
  async history(fromRevision: number, keys: KeySelection, noDelete: boolean): Promise<void> {
    const expected = this.model.history(fromRevision, keys);
    const told = await codeOf(async () => {
      const events: Json[] = [];
      const target = singleKey(keys) === undefined ? selected(keys) : bytes(keys.gte);
      const watch = this.#store.watch(target, { fromRevision, noDelete });
      watch.requestProgress();
      for await (const batch of watch) {
        for (const event of batch.events) {
          const { type, kv, previous } = event;
          const change = { type, key: latin1(kv.key), revision: kv.modRevision };
          const version = type === 'put' ? { current: plainPair(kv) } : {};
          const before = previous === undefined ? {} : { previous: plainPair(previous) };
          events.push({ ...change, ...version, ...before });
        }
        if (batch.events.length === 0) break;
      }
      return events as unknown as Json;
    });
    if (!Array.isArray(expected)) return expect(told).toEqual({ code: expected.code });
    const events = (expected as KeyEvent[][]).flat();
    const shown = noDelete ? events.filter(({ type }) => type === 'put') : events;
    expect(told).toEqual(shown.map(plainEvent));
  }

  async #execute(command: CalledCommand): Promise<Json> {
    const store = this.#store;
    switch (command.op) {
      case 'put': {
        const { key, value, op: _, ...options } = command;
        return plainResponse({ op: 'put', ...(await store.put(bytes(key), value, options)) }, true);
      }
      case 'delete': {
        const { keys, previous } = command;
        const target = singleKey(keys) === undefined ? selected(keys) : bytes(keys.gte);
        return plainResponse({ op: 'delete', ...(await store.delete(target, { previous })) }, true);
      }
      case 'txn':
        return this.#txn(command);
      case 'compact':
        return { op: 'compact', revision: (await store.compact(command.revision)).revision };
      case 'lease-grant':
        await store.lease(command.ttlSeconds, { id: command.id });
        return { op: command.op, revision: this.model.revision };
      case 'lease-revoke': {
        const lease = await store.findLease(command.id);
        if (lease === undefined) return { code: 'LEASE_NOT_FOUND' };
        return { op: command.op, revision: (await lease.revoke()).revision };
      }
    }
  }

  async #txn(txn: TxnCommand): Promise<Json> {
    const built = this.#store
      .txn()
      .if(...txn.compares.map(compareOf))
      .do(...txn.success.map(stepOf))
      .else(...txn.failure.map(stepOf));
    return cut(txn, plainResponse({ op: 'txn', ...(await built.commit()) }, true));
  }
}

async function codeOf(call: () => Promise<Json>): Promise<Json> {
  try {
    return await call();
  } catch (error) {
    const { code } = error as { readonly code?: string };
    if (code === undefined) throw error;
    return { code };
  }
}

function rangeOptions(range: RangeOperation): RangeQueryOptions {
  const { op: _, keys, sort, ...options } = range;
  const order = sort === undefined ? {} : { sortBy: orders[sort.target], order: sort.order };
  return { ...options, ...selected(keys), ...order };
}

/** In one of its forms. */
function selected({ gte, lt }: KeySelection): KeyRangeOptions {
  if (gte === '' && lt === undefined) return { prefix: '' };
  // There is no empty key: the first one is as good.
  return { from: bytes(gte === '' ? '\0' : gte), to: lt === undefined ? undefined : bytes(lt) };
}

function stepOf(operation: Operation): TxnOperation {
  switch (operation.op) {
    case 'put': {
      const { op: _, key, value, ...options } = operation;
      return op.put(bytes(key), value, options);
    }
    case 'delete': {
      const { keys, previous } = operation;
      const target = singleKey(keys) === undefined ? selected(keys) : bytes(keys.gte);
      return op.delete(target, previous === undefined ? {} : { previous });
    }
    case 'range':
      return op.range(rangeOptions(operation));
    case 'txn':
      return op.txn({
        if: operation.compares.map(compareOf),
        do: operation.success.map(stepOf),
        else: operation.failure.map(stepOf),
      });
  }
}

const results = { equal: 'eq', greater: 'gt', less: 'lt', 'not-equal': 'ne' } as const;

function compareOf({ keys, target, operand, result }: Compare): Compare {
  const of = singleKey(keys) === undefined ? selected(keys) : bytes(keys.gte);
  const fields = {
    version: () => cmp.version(of)[results[result]](operand as number),
    'create-revision': () => cmp.createRevision(of)[results[result]](operand as number),
    'mod-revision': () => cmp.modRevision(of)[results[result]](operand as number),
    value: () => cmp.value(of)[results[result]](operand as Uint8Array),
    lease: () => cmp.lease(of)[results[result]](operand as bigint),
  };
  return fields[target]();
}

function plainResponse(answer: TxnOperationResponse, isOuter: boolean): Json {
  const told = isOuter ? { revision: answer.revision } : {};
  switch (answer.op) {
    case 'put': {
      const { previous } = answer;
      return { op: 'put', ...told, ...(previous && { previous: plainPair(previous) }) };
    }
    case 'delete': {
      const { deleted, previous } = answer;
      const before = previous === undefined ? {} : { previous: previous.map(plainPair) };
      return { op: 'delete', ...told, deleted, ...before };
    }
    case 'get': {
      const kvs = answer.kv === undefined ? [] : [plainPair(answer.kv)];
      return { op: 'range', ...told, kvs, more: false };
    }
    case 'range': {
      const { kvs, more, count } = answer;
      return { op: 'range', ...told, kvs: kvs.map(plainPair), more, count };
    }
    case 'txn': {
      const inner = answer.results.map((each) => plainResponse(each, false));
      return { op: 'txn', ...told, succeeded: answer.succeeded, results: inner };
    }
  }
}

function plainPair({ key, value, createRevision, modRevision, version, lease }: KeyValue): Json {
  const told = { key: latin1(key), value: latin1(value), createRevision, modRevision, version };
  return lease === undefined ? told : { ...told, lease };
}

function latin1(some: Uint8Array): string {
  return Buffer.from(some).toString('latin1');
}

function bytes(key: string): Uint8Array {
  return Buffer.from(key, 'latin1');
}
