/**
 * Answers of the reference model in plain words, as far as others tell the same.
 */
import type {
  Command,
  KeyEvent,
  KeyVersion,
  Operation,
  RangeOperation,
} from '../../src/mvcc/index.js';
import type { ReferenceAnswer } from './reference-model.js';

export type Json = Record<string, unknown>;

/** What was asked, where the answers differ. */
export function words(command: Command | RangeOperation): string {
  return JSON.stringify(command, (_, value) =>
    typeof value === 'bigint'
      ? `${value}n`
      : value instanceof Uint8Array
        ? Buffer.from(value).toString('latin1')
        : value,
  );
}

/** The model's answer, without what etcd does not tell. */
export function plainAnswer(command: Command | RangeOperation, answer: ReferenceAnswer): Json {
  if ('code' in answer) return { code: answer.code };
  const { op, revision } = answer as { readonly op: string; readonly revision: number };
  if (op === 'put' || op === 'delete' || op === 'range' || op === 'txn') {
    return cut(command as Operation, { ...plain(command as Operation, answer), revision });
  }
  return { op, revision };
}

function plain(operation: Operation, answer: ReferenceAnswer): Json {
  const { op } = operation;
  const {
    previous,
    kvs = [],
    deleted,
    succeeded,
    results,
    count,
  } = answer as {
    previous?: KeyVersion | readonly KeyVersion[];
    kvs?: readonly KeyVersion[];
    deleted?: number;
    succeeded?: boolean;
    results?: readonly ReferenceAnswer[];
    count?: number;
  };
  if (op === 'put') {
    return previous === undefined ? { op } : { op, previous: plainKv(previous as KeyVersion) };
  }
  if (op === 'delete') {
    if (previous === undefined) return { op, deleted };
    return { op, deleted, previous: (previous as readonly KeyVersion[]).map(plainKv) };
  }
  if (op === 'range') return { op, kvs: kvs.map(plainKv), more: answer.more, count };
  const branch = succeeded ? operation.success : operation.failure;
  return { op, succeeded, results: branch.map((each, at) => plain(each, results![at]!)) };
}

/** Without what one of the two does not tell. */
export function cut(operation: Operation, answer: Json): Json {
  if ('code' in answer) return answer;
  if (operation.op === 'range') {
    const { count, kvs, ...others } = answer;
    const told = { ...others, kvs: ties(operation, kvs as readonly Json[]) };
    return operation.count || operation.countOnly ? { ...told, count } : told;
  }
  if (operation.op !== 'txn') return answer;
  const branch = answer.succeeded ? operation.success : operation.failure;
  const results = (answer.results as readonly Json[]).map((it, at) => cut(branch[at]!, it));
  return { ...answer, results };
}

/** Pairs that are equal in the order asked for come in any order from etcd, and any of them are cut off. */
function ties({ sort, limit }: RangeOperation, kvs: readonly Json[]): unknown {
  if (sort === undefined || sort.target === 'key') return kvs;
  const field = sortFields[sort.target];
  const inOrder = kvs.map((kv) => kv[field]);
  if (limit !== undefined) return inOrder;
  return { inOrder, all: kvs.toSorted((a, b) => (`${a.key}` < `${b.key}` ? -1 : 1)) };
}

const sortFields = {
  version: 'version',
  'create-revision': 'createRevision',
  'mod-revision': 'modRevision',
  value: 'value',
};

export function plainKv({ lease, value, ...kv }: KeyVersion): Json {
  const text = Buffer.from(value).toString('latin1');
  return { ...kv, value: text, ...(lease === undefined ? {} : { lease }) };
}

export function plainEvent({ type, key, revision, current, previous }: KeyEvent): Json {
  return {
    ...{ type, key, revision },
    ...(current === undefined ? {} : { current: plainKv(current) }),
    ...(previous === undefined ? {} : { previous: plainKv(previous) }),
  };
}
