/**
 * The keyspace as anyone would write it who need not be fast: every state of every revision is kept
 * as a sorted array, and every answer is a filter over one. It shares only types with the product.
 */
import type {
  Command,
  Compare,
  KeyEvent,
  KeySelection,
  KeyVersion,
  Operation,
  RangeOperation,
} from '../../src/mvcc/index.js';

/** What the model answers: a result, or the code of an error. */
export type ModelResult = { readonly error: string } | Record<string, unknown>;

type State = readonly KeyVersion[];

export class Model {
  /** State after each revision; there is none before 1. */
  readonly states: State[] = [[], []];
  /** Events of each revision. */
  readonly events: KeyEvent[][] = [[], []];

  get revision(): number {
    return this.states.length - 1;
  }

  execute(command: Command): ModelResult {
    if (command.op !== 'put' && command.op !== 'delete' && command.op !== 'txn') {
      throw new Error(`this model has no ${command.op}`);
    }
    const fault = faultOf(command);
    if (fault !== undefined) return { error: fault };
    const before = this.states[this.revision]!;
    const isTxn = command.op === 'txn';
    const succeeded = isTxn && command.compares.every((it) => holds(it, before));
    const branch = isTxn ? (succeeded ? command.success : command.failure) : [command];
    for (const operation of branch) {
      if (operation.op === 'range' && (operation.revision ?? 1) > this.revision) {
        return { error: 'FUTURE_REVISION' };
      }
    }
    let state = before;
    const events: KeyEvent[] = [];
    const next = this.revision + 1;
    const results = branch.map((operation) => {
      const step = this.step(operation, state, { next, events });
      state = step.state;
      return { ...step.result, revision: events.length > 0 ? next : next - 1 };
    });
    if (events.length > 0) {
      this.states.push(state);
      this.events.push(events);
    }
    return isTxn ? { op: 'txn', succeeded, revision: this.revision, results } : results[0]!;
  }

  range(operation: RangeOperation, now: State = this.states[this.revision]!) {
    const state = operation.revision === undefined ? now : this.states[operation.revision]!;
    const matches = state.filter((it) => isIn(operation.keys, it.key));
    const kvs = matches.slice(0, operation.limit ?? Infinity);
    const answer = { op: 'range', kvs, more: kvs.length < matches.length };
    return operation.count ? { ...answer, count: matches.length } : answer;
  }

  /** Events of the selected keys from a revision on, by revision. */
  history(fromRevision: number, keys: KeySelection) {
    return this.events.flatMap((all, revision) => {
      const events = all.filter((it) => isIn(keys, it.key));
      return revision < fromRevision || events.length === 0 ? [] : [{ revision, events }];
    });
  }

  private step(
    operation: Operation,
    state: State,
    { next, events }: { next: number; events: KeyEvent[] },
  ): { state: State; result: Record<string, unknown> } {
    if (operation.op === 'range') return { state, result: this.range(operation, state) };
    if (operation.op === 'txn') throw new Error('this model does not nest');
    const base = { revision: next };
    if (operation.op === 'delete') {
      const gone = state.filter((it) => isIn(operation.keys, it.key));
      for (const previous of gone) {
        const { key } = previous;
        events.push({ type: 'delete', key, ...base, sub: events.length, previous });
      }
      const rest = state.filter((it) => !gone.includes(it));
      return { state: rest, result: { op: 'delete', deleted: gone.length } };
    }
    const { key, value, lease } = operation;
    const previous = state.find((it) => it.key === key);
    const current: KeyVersion = {
      key,
      value,
      createRevision: previous?.createRevision ?? next,
      modRevision: next,
      version: (previous?.version ?? 0) + 1,
      lease: lease === 0n ? undefined : lease,
    };
    const event = { type: 'put' as const, key, ...base, sub: events.length, current };
    events.push(previous === undefined ? event : { ...event, previous });
    const rest = state.filter((it) => it.key !== key);
    const after = [...rest, current].sort((a, b) => (a.key < b.key ? -1 : 1));
    return { state: after, result: { op: 'put', previous } };
  }
}

function isIn({ gte, lt }: KeySelection, key: string): boolean {
  return key >= gte && (lt === undefined || key < lt);
}

/** The duplicate rule, pair by pair. */
function faultOf(command: Command): string | undefined {
  if (command.op !== 'txn') return undefined;
  for (const branch of [command.success, command.failure]) {
    for (const [at, put] of branch.entries()) {
      if (put.op !== 'put') continue;
      for (const [otherAt, other] of branch.entries()) {
        if (otherAt === at || other.op === 'range' || other.op === 'txn') continue;
        const clash = other.op === 'put' ? other.key === put.key : isIn(other.keys, put.key);
        if (clash) return 'DUPLICATE_KEY';
      }
    }
  }
  return undefined;
}

function holds(compare: Compare, state: State): boolean {
  const kv = state.find((it) => it.key === compare.keys.gte);
  if (compare.target === 'value') {
    if (kv === undefined) return false;
    return relation(latin1(kv.value), latin1(compare.operand), compare.result);
  }
  const field = {
    version: kv?.version ?? 0,
    'create-revision': kv?.createRevision ?? 0,
    'mod-revision': kv?.modRevision ?? 0,
    lease: kv?.lease ?? 0n,
  }[compare.target];
  return relation(field, compare.operand, compare.result);
}

function relation<T>(a: T, b: T, result: Compare['result']): boolean {
  if (result === 'equal') return a === b;
  if (result === 'not-equal') return a !== b;
  return result === 'greater' ? a > b : a < b;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
