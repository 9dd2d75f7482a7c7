/**
 * The transaction builder. Every call returns a new value, so a transaction can be kept and
 * committed again. No method is called `then`: `await` would take the builder for a promise.
 */
import { kontikiError } from '../base/errors.js';
import type { Compare, Operation, TxnCommand, TxnResult } from '../mvcc/types.js';
import { KeyValue } from './key-value.js';
import type {
  CallOptions,
  DeleteResponse,
  GetResponse,
  PutResponse,
  RangeResponse,
} from './kv-client.js';
import type { TxnOperation } from './operations.js';

/** Answer to one operation of the branch that ran. @since 0.1.0 */
export type TxnOperationResponse =
  | ({ readonly op: 'put' } & PutResponse)
  | ({ readonly op: 'delete' } & DeleteResponse)
  | ({ readonly op: 'get' } & GetResponse)
  | ({ readonly op: 'range' } & RangeResponse);

/** @since 0.1.0 */
export interface TxnResponse {
  /** Whether all compares held, and so which branch ran. */
  readonly succeeded: boolean;
  /** Of the transaction if it changed anything, else the current one. */
  readonly revision: number;
  /** One per operation of the branch that ran, in order. */
  readonly results: readonly TxnOperationResponse[];
}

/** Carries a transaction out. */
type Execute = (command: TxnCommand, options: CallOptions) => Promise<TxnResult>;

/**
 * An immutable transaction: if all compares hold, do this, else that; all or nothing, at one
 * revision.
 *
 * @since 0.1.0
 */
export class Txn {
  readonly #execute: Execute;
  readonly #compares: readonly Compare[];
  readonly #success: readonly TxnOperation[];
  readonly #failure: readonly TxnOperation[];

  constructor(
    execute: Execute,
    compares: readonly Compare[] = [],
    success: readonly TxnOperation[] = [],
    failure: readonly TxnOperation[] = [],
  ) {
    this.#execute = execute;
    this.#compares = compares;
    this.#success = success;
    this.#failure = failure;
  }

  /** Adds conditions; all must hold. None at all hold always. */
  if(...compares: readonly Compare[]): Txn {
    checkArray(compares, 'target', 'compares, made with cmp');
    const all = [...this.#compares, ...compares];
    return new Txn(this.#execute, all, this.#success, this.#failure);
  }

  /** Adds operations for when the conditions hold. */
  do(...operations: readonly TxnOperation[]): Txn {
    checkArray(operations, 'operation', 'operations, made with op');
    const success = [...this.#success, ...operations];
    return new Txn(this.#execute, this.#compares, success, this.#failure);
  }

  /** Adds operations for when they do not. */
  else(...operations: readonly TxnOperation[]): Txn {
    checkArray(operations, 'operation', 'operations, made with op');
    const failure = [...this.#failure, ...operations];
    return new Txn(this.#execute, this.#compares, this.#success, failure);
  }

  /**
   * Carries it out.
   *
   * @throws {KontikiError} TOO_MANY_OPERATIONS, DUPLICATE_KEY, REQUEST_TOO_LARGE (`rejected`), and
   *   what every write throws
   */
  async commit(options: CallOptions = {}): Promise<TxnResponse> {
    const command: TxnCommand = {
      op: 'txn',
      compares: this.#compares,
      success: this.#success.map(inner),
      failure: this.#failure.map(inner),
    };
    const { succeeded, revision, results } = await this.#execute(command, options);
    const ran = succeeded ? this.#success : this.#failure;
    return { succeeded, revision, results: results.map((r, at) => respond(r, ran[at]?.kind)) };
  }
}

function inner(operation: TxnOperation): Operation {
  return operation.operation;
}

function respond(
  result: TxnResult['results'][number],
  kind: TxnOperation['kind'] | undefined,
): TxnOperationResponse {
  if (result.op === 'put') {
    const { op, revision, previous } = result;
    return { op, revision, previous: previous && KeyValue.of(previous) };
  }
  if (result.op === 'delete') return result;
  const kvs = result.kvs.map((version) => KeyValue.of(version));
  const { revision, more, count } = result;
  if (kind === 'get') return { op: 'get', kv: kvs[0], revision };
  return { op: 'range', kvs, more, revision, ...(count !== undefined && { count }) };
}

function checkArray(items: readonly unknown[], field: string, expected: string): void {
  for (const item of items) {
    if (typeof item === 'object' && item !== null && field in item) continue;
    const message = `store: expected ${expected}, got ${typeof item}`;
    throw kontikiError('ARGUMENT_INVALID', message, { outcome: 'rejected' });
  }
}
