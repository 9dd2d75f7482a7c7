/** What the clients of the random runs ask for. */
import { utf8Bytes } from '../../../src/base/bytes.js';
import { type Random, randomInt } from '../../../src/base/prng.js';
import type { Compare, Operation, TxnCommand } from '../../../src/mvcc/index.js';
import { selectKey } from '../../../src/mvcc/index.js';
import type { KeyspaceInput } from '../../../src/testing/checkers/keyspace-model.js';

/**
 * `stamped`: every command also writes a key of its own, so that the content of the keyspace tells
 * which commands were applied, and in which order. `any`: everything there is.
 */
export type InputKind = 'any' | 'stamped';

export const everything = { gte: 'a' };
const keys = ['a', 'b', 'c'];

export interface Drawn {
  readonly input: KeyspaceInput;
  readonly isLogged: boolean;
}

export function drawInput(
  random: Random,
  kind: InputKind,
  { nth, revision }: { readonly nth: number; readonly revision: number },
): Drawn {
  const choice = randomInt(random, kind === 'stamped' ? 8 : 14);
  if (choice < 3) return { input: drawRead(random, revision), isLogged: false };
  const operation = drawOperation(random, nth);
  if (choice < 8) {
    if (kind === 'stamped') return { input: stamped(random, operation, nth), isLogged: true };
    const input = choice === 3 ? conditional(random, operation) : operation;
    return { input, isLogged: true };
  }
  const id = BigInt(1 + randomInt(random, 2));
  if (choice === 8) {
    return { input: { op: 'compact', revision: 1 + randomInt(random, revision) }, isLogged: true };
  }
  if (choice < 11) return { input: { op: 'lease-grant', id, ttlSeconds: 5 }, isLogged: true };
  if (choice === 11) return { input: { op: 'lease-revoke', id }, isLogged: true };
  if (choice === 12) {
    const read = drawRead(random, revision);
    const input: TxnCommand = { op: 'txn', compares: [], success: [read], failure: [] };
    return { input, isLogged: false };
  }
  const value = utf8Bytes(`${nth}`);
  return { input: { op: 'put', key: 'a', value, lease: id }, isLogged: true };
}

function drawRead(random: Random, revision: number): Operation & { readonly op: 'range' } {
  const key = keys[randomInt(random, keys.length)] as string;
  const selected = randomInt(random, 2) === 0 ? everything : selectKey(key);
  if (randomInt(random, 4) > 0) return { op: 'range', keys: selected };
  // Possibly one that is still to come.
  return { op: 'range', keys: selected, revision: 1 + randomInt(random, revision + 1) };
}

function drawOperation(random: Random, nth: number): Operation & { readonly op: 'delete' | 'put' } {
  const key = keys[randomInt(random, keys.length)] as string;
  const choice = randomInt(random, 6);
  if (choice === 0) return { op: 'delete', keys: { gte: 'a', lt: 'c' } };
  if (choice === 1) return { op: 'delete', keys: selectKey(key), previous: true };
  return { op: 'put', key, value: utf8Bytes(`${nth}`), previous: choice < 4 };
}

function conditional(random: Random, operation: Operation): TxnCommand {
  const key = keys[randomInt(random, keys.length)] as string;
  const operand = randomInt(random, 3);
  const compare: Compare = { keys: selectKey(key), target: 'version', result: 'equal', operand };
  const failure: Operation[] = [{ op: 'range', keys: everything }];
  return { op: 'txn', compares: [compare], success: [operation], failure };
}

function stamped(random: Random, operation: Operation, nth: number): TxnCommand {
  const { compares, success, failure } = conditional(random, operation);
  const isConditional = randomInt(random, 2) === 0;
  return {
    op: 'txn',
    compares: isConditional ? compares : [],
    success: [...success, stampOf(nth)],
    failure: [...failure, stampOf(nth)],
  };
}

/** The write that only request `nth` makes. */
export function stampOf(nth: number, text = 'x'): Operation {
  return { op: 'put', key: `stamp-${nth}`, value: utf8Bytes(text) };
}
