/**
 * The keyspace's commands in etcd's words, and its answers in ours. Each test begins at a revision of its
 * own, so that one etcd serves all of them: `base` is what our revision 1 is there.
 */
import type {
  Compare,
  KeySelection,
  Operation,
  RangeOperation,
  TxnCommand,
} from '../../src/mvcc/index.js';
import type { Json } from '../mvcc/plain-answer.js';

const errorCodes: Readonly<Record<string, string>> = {
  'etcdserver: mvcc: required revision has been compacted': 'COMPACTED',
  'etcdserver: mvcc: required revision is a future revision': 'FUTURE_REVISION',
  'etcdserver: key not found': 'KEY_NOT_FOUND',
  'etcdserver: requested lease not found': 'LEASE_NOT_FOUND',
  'etcdserver: lease already exists': 'LEASE_EXISTS',
  'etcdserver: duplicate key given in txn request': 'DUPLICATE_KEY',
};

export class EtcdWords {
  /** To be added to a revision of ours. */
  readonly #offset: number;

  /** @param base - etcd's revision when our keyspace is new, and both are empty */
  constructor(base: number) {
    this.#offset = base - 1;
  }

  theirs(revision: number): number {
    // What is not above zero is no revision, there as here.
    return revision > 0 ? revision + this.#offset : revision;
  }

  ours(revision: unknown): number {
    return Number(revision) - this.#offset;
  }

  put(put: Operation & { op: 'put' }): Json {
    return {
      key: base64(put.key),
      value: Buffer.from(put.value).toString('base64'),
      lease: `${put.lease ?? 0n}`,
      prev_kv: put.previous ?? false,
      ignore_value: put.ignoreValue ?? false,
      ignore_lease: put.ignoreLease ?? false,
    };
  }

  delete({ keys, previous }: Operation & { op: 'delete' }): Json {
    return { ...selection(keys), prev_kv: previous ?? false };
  }

  range(range: RangeOperation): Json {
    const { sort } = range;
    const revision = (at: number | undefined) => `${at === undefined ? 0 : this.theirs(at)}`;
    return {
      ...selection(range.keys),
      limit: `${range.limit ?? 0}`,
      revision: revision(range.revision),
      count_only: range.countOnly ?? false,
      keys_only: range.keysOnly ?? false,
      sort_order: sort === undefined ? 'NONE' : sort.order.toUpperCase(),
      sort_target: targets[sort?.target ?? 'key'],
      min_mod_revision: revision(range.minModRevision),
      max_mod_revision: revision(range.maxModRevision),
      min_create_revision: revision(range.minCreateRevision),
      max_create_revision: revision(range.maxCreateRevision),
    };
  }

  txn({ compares, success, failure }: TxnCommand): Json {
    return {
      compare: compares.map((compare) => this.#compare(compare)),
      success: success.map((each) => this.#operation(each)),
      failure: failure.map((each) => this.#operation(each)),
    };
  }

  /** What was answered to the operation, in our words; `{ code }` for an error. */
  answer(operation: Operation, answer: Json, isNested = false): Json {
    if ('error' in answer) return error(answer);
    const { header } = answer as { readonly header?: { readonly revision?: string } };
    // etcd tells of a revision once per request, and in what is nested at times.
    const told = isNested ? {} : { revision: this.ours(header?.revision) };
    const { op } = operation;
    switch (op) {
      case 'put':
        return { op, ...told, ...this.#previous(operation, answer.prev_kv) };
      case 'delete': {
        const { prev_kvs: previous = [] } = answer as { readonly prev_kvs?: readonly Json[] };
        const deleted = { deleted: Number(answer.deleted ?? 0) };
        if (!operation.previous) return { op, ...told, ...deleted };
        return { op, ...told, ...deleted, previous: previous.map((kv) => this.kv(kv)) };
      }
      case 'range': {
        const { kvs = [] } = answer as { readonly kvs?: readonly Json[] };
        const count = Number(answer.count ?? 0);
        return {
          op,
          ...told,
          kvs: kvs.map((kv) => this.kv(kv)),
          more: answer.more ?? false,
          count,
        };
      }
      case 'txn': {
        const succeeded = (answer.succeeded ?? false) as boolean;
        const branch = succeeded ? operation.success : operation.failure;
        const { responses = [] } = answer as { readonly responses?: readonly Json[] };
        const results = branch.map((each, at) => {
          const inner = responses[at]?.[`response_${wordOf(each)}`] as Json | undefined;
          return this.answer(each, inner ?? {}, true);
        });
        return { op, ...told, succeeded, results };
      }
    }
  }

  kv(kv: Json): Json {
    const lease = BigInt((kv.lease ?? 0) as string);
    return {
      key: latin1(kv.key),
      value: latin1(kv.value),
      createRevision: this.ours(kv.create_revision),
      modRevision: this.ours(kv.mod_revision),
      version: Number(kv.version),
      ...(lease === 0n ? {} : { lease }),
    };
  }

  /** One event of a watch; a delete tells its key and its revision. */
  event(event: Json): Json {
    const { kv, prev_kv: previous } = event as { readonly kv: Json; readonly prev_kv?: Json };
    const known = previous === undefined ? {} : { previous: this.kv(previous) };
    const revision = this.ours(kv.mod_revision);
    if (event.type === 'DELETE') return { type: 'delete', key: latin1(kv.key), revision, ...known };
    return { type: 'put', key: latin1(kv.key), revision, current: this.kv(kv), ...known };
  }

  #previous({ previous }: { readonly previous?: boolean | undefined }, kv: unknown): Json {
    if (!previous || kv === undefined || kv === null) return {};
    return { previous: this.kv(kv as Json) };
  }

  #operation(operation: Operation): Json {
    const words = {
      put: () => this.put(operation as Operation & { op: 'put' }),
      delete: () => this.delete(operation as Operation & { op: 'delete' }),
      range: () => this.range(operation as RangeOperation),
      txn: () => this.txn(operation as TxnCommand),
    };
    return { [`request_${wordOf(operation)}`]: words[operation.op]() };
  }

  #compare(compare: Compare): Json {
    const { target } = compare;
    const field = target.replace('-', '_');
    const operand =
      target === 'value'
        ? Buffer.from(compare.operand).toString('base64')
        : `${target.endsWith('-revision') ? this.theirs(compare.operand as number) : compare.operand}`;
    return {
      ...selection(compare.keys),
      result: compare.result.toUpperCase().replace('-', '_'),
      target: targets[target],
      [field]: operand,
    };
  }
}

/** The code of ours that means the same; else etcd's words, which are equal to none. */
export function error(answer: Json): Json {
  const told = String(answer.error);
  return { code: errorCodes[told] ?? told };
}

/** Keys and their end; of a selection that is the wrong way round, another one. */
export function selection({ gte, lt }: KeySelection): Json {
  // There is no empty key; as a lower bound the first one is as good.
  const key = gte === '' ? '\0' : gte;
  if (lt === undefined) return { key: base64(key), range_end: base64('\0') };
  if (lt === `${key}\0`) return { key: base64(key) };
  // Zero alone would mean no end: nothing is selected.
  if (lt === '\0') return { key: base64('b'), range_end: base64('a') };
  return { key: base64(key), range_end: base64(lt) };
}

const targets = {
  key: 'KEY',
  version: 'VERSION',
  value: 'VALUE',
  lease: 'LEASE',
  'create-revision': 'CREATE',
  'mod-revision': 'MOD',
};

function wordOf({ op }: Operation): string {
  return op === 'delete' ? 'delete_range' : op;
}

function base64(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}

function latin1(text: unknown): string {
  return Buffer.from((text ?? '') as string, 'base64').toString('latin1');
}
