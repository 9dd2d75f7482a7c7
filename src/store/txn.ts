/**
 * The transaction builder. Every call returns a new value, so a transaction can be kept and
 * committed again. No method is called `then`: `await` would take the builder for a promise.
 */
import { unreachable } from '../base/assert.js';
import { checkOperations } from '../mvcc/command-check.js';
import type {
  Compare,
  DeleteResult,
  OperationResult,
  PutResult,
  RangeResult,
  TxnCommand,
  TxnResult,
} from '../mvcc/types.js';
import { KeyValue } from './key-value.js';
import type {
  CallOptions,
  DeleteResponse,
  GetResponse,
  PutResponse,
  RangeResponse,
} from './kv-client.js';
import { checkMade, operationOf, type TxnOperation } from './operations.js';

/** Answer to one operation of the branch that ran. @since 0.1.0 */
export type TxnOperationResponse =
  | ({ readonly op: 'put' } & PutResponse)
  | ({ readonly op: 'delete' } & DeleteResponse)
  | ({ readonly op: 'get' } & GetResponse)
  | ({ readonly op: 'range' } & RangeResponse)
  | ({ readonly op: 'txn' } & TxnResponse);

/** @since 0.1.0 */
export interface TxnResponse {
  /** Whether all compares held, and so which branch ran. */
  readonly succeeded: boolean;
  /** Of the transaction if it changed anything, else the current one. */
  readonly revision: number;
  /** One per operation of the branch that ran, in order. */
  readonly results: readonly TxnOperationResponse[];
  /** The write was sent again, and its answer too long to be kept: `results` is empty. */
  readonly partial?: boolean | undefined;
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
    checkMade(compares, 'target', 'compares, made with cmp');
    const all = [...this.#compares, ...compares];
    return new Txn(this.#execute, all, this.#success, this.#failure);
  }

  /** Adds operations for when the conditions hold. */
  do(...operations: readonly TxnOperation[]): Txn {
    checkMade(operations, 'operation', 'operations, made with op');
    const success = [...this.#success, ...operations];
    return new Txn(this.#execute, this.#compares, success, this.#failure);
  }

  /** Adds operations for when they do not. */
  else(...operations: readonly TxnOperation[]): Txn {
    checkMade(operations, 'operation', 'operations, made with op');
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
      success: this.#success.map(operationOf),
      failure: this.#failure.map(operationOf),
    };
    // Before anybody walks it, for it bounds how deep that goes.
    checkOperations(command);
    const result = await this.#execute(command, options);
    return respondTxn(result, { success: this.#success, failure: this.#failure });
  }
}

/**
 * The answer to a put.
 *
 * @since 0.1.0
 */
export function respondPut({ revision, previous, partial }: PutResult): PutResponse {
  if (partial === true) return { revision, partial };
  return previous === undefined ? { revision } : { revision, previous: KeyValue.of(previous) };
}

/**
 * The answer to a delete.
 *
 * @since 0.1.0
 */
export function respondDelete(result: DeleteResult): DeleteResponse {
  const { revision, deleted, previous, partial } = result;
  if (partial === true) return { revision, deleted, partial };
  if (previous === undefined) return { revision, deleted };
  return { revision, deleted, previous: previous.map((version) => KeyValue.of(version)) };
}

/**
 * The answer to a range.
 *
 * @since 0.1.0
 */
export function respondRange(result: RangeResult): RangeResponse {
  const kvs = result.kvs.map((version) => KeyValue.of(version));
  const response = { kvs, more: result.more, revision: result.revision };
  return result.count === undefined ? response : { ...response, count: result.count };
}

interface Branches {
  readonly success: readonly TxnOperation[];
  readonly failure: readonly TxnOperation[];
}

function respondTxn(result: TxnResult, branches: Branches): TxnResponse {
  const { succeeded, revision, results, partial } = result;
  if (partial === true) return { succeeded, revision, results: [], partial };
  const ran = succeeded ? branches.success : branches.failure;
  return { succeeded, revision, results: results.map((r, at) => respond(r, ran[at])) };
}

function respond(
  result: OperationResult,
  operation: TxnOperation | undefined,
): TxnOperationResponse {
  switch (result.op) {
    case 'put': {
      const { op, revision, previous } = result;
      return { op, revision, previous: previous && KeyValue.of(previous) };
    }
    case 'delete':
      return { op: 'delete', ...respondDelete(result) };
    case 'range': {
      const response = respondRange(result);
      if (operation?.kind !== 'get') return { op: 'range', ...response };
      return { op: 'get', kv: response.kvs[0], revision: response.revision };
    }
    case 'txn': {
      const none: Branches = { success: [], failure: [] };
      return { op: 'txn', ...respondTxn(result, operation?.inner ?? none) };
    }
    default:
      return unreachable(result);
  }
}
