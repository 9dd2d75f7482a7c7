/** The keyspace as the checkers ask it. */
import { binaryString, utf8Text } from '../../base/bytes.js';
import type { Command, RangeOperation } from '../../mvcc/types.js';
import type { KeyspaceAnswer } from './keyspace-answer.js';
import { describeAnswer, describeCommand } from './keyspace-description.js';
import { executeOnKeyspace } from './keyspace-execution.js';
import { emptyKeyspace, type KeyspaceState } from './keyspace-state.js';
import type { LogSpecification } from './log-types.js';
import { type Executed, type Model, modelOf } from './model.js';
import type { Observed } from './observed.js';

/** A command, or a linearizable read. @since 0.1.0 */
export type KeyspaceInput = Command | RangeOperation;

/**
 * What a client saw of an answer: any of its fields. A refusal by the keyspace, such as `COMPACTED`, is
 * an answer too.
 *
 * @since 0.1.0
 */
export type KeyspaceOutput = Observed<KeyspaceAnswer>;

/**
 * The keyspace for {@link checkLog}: revisions, transactions, compaction, leases.
 *
 * @since 0.1.0
 */
export const keyspaceSpecification: LogSpecification<KeyspaceState, KeyspaceInput, KeyspaceAnswer> =
  {
    initial: emptyKeyspace,
    execute: executeOnKeyspace,
    revision: ({ revision }) => revision,
    revisionSeen: (output) => ('revision' in output ? output.revision : undefined),
    describe: (input, output) => `${describeCommand(input)} ${describeAnswer(output)}`,
    describeState: ({ revision, current }) => {
      const pairs = current.range().map(({ key, value }) => `${key}=${utf8Text(value)}`);
      return `revision ${revision}: ${pairs.join(' ')}`;
    },
  };

type Run = Executed<KeyspaceState, KeyspaceAnswer>;

/**
 * The model of a keyspace for {@link checkLinearizable}. Commands and linearizable reads go into its
 * histories, serializable reads do not. A lease that may run out is a revoke without an answer. It has
 * no parts: revisions are common to all keys.
 *
 * @since 0.1.0
 */
export function keyspaceModel(): Model<KeyspaceState, KeyspaceInput, KeyspaceOutput> {
  // One object for each state that can be told apart: the search compares them by identity. A state
  // holds its history, so two ways to the same one are almost always the same commands.
  const reached = new WeakMap<KeyspaceState, Map<string, Run>>();
  const texts = new WeakMap<KeyspaceInput, string>();
  const execute = (state: KeyspaceState, input: KeyspaceInput): Run => {
    if (input.op === 'range') return executeOnKeyspace(state, input);
    const runs = held(reached, state, () => new Map<string, Run>());
    const text = held(texts, input, () => JSON.stringify(input, plain));
    return held(runs, text, () => executeOnKeyspace(state, input));
  };
  return modelOf({ ...keyspaceSpecification, execute });
}

/** What a map holds under a key, made when it is not there yet. */
function held<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Bytes and 64-bit integers in JSON; fields that hold them hold nothing else. */
function plain(_field: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array ? binaryString(value) : value;
}
