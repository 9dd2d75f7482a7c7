/**
 * The keyspace as anyone would write it who need not be fast: one array of every change that ever
 * was, never shortened. What a key was at a revision is found by walking all of it, and every answer
 * is a filter over that. It shares only types with the product.
 */
import type {
  Command,
  Compare,
  KeyEvent,
  KeySelection,
  KeyVersion,
  LeaseCommand,
  LogPlace,
  Operation,
  RangeOperation,
  TxnCommand,
} from '../../src/mvcc/index.js';
import { deletesOf, ReferenceLeases } from './reference-leases.js';

/** What the model answers: a result, or the code and the figures of an error. */
export type ReferenceAnswer = Record<string, unknown>;

interface Draft {
  state: readonly KeyVersion[];
  readonly before: readonly KeyVersion[];
  readonly events: KeyEvent[];
}

export class ReferenceModel {
  readonly changes: KeyEvent[] = [];
  revision = 1;
  compactRevision = 0;
  readonly leases = new ReferenceLeases();

  execute(
    command: Command,
    place: LogPlace = { term: 1, index: 1 },
  ): { readonly answer: ReferenceAnswer; readonly events: KeyEvent[] } {
    if (command.op === 'read-lease') throw new Error('this model has no settings');
    if (isOfLeases(command)) return this.#lease(command, place);
    const fault = command.op === 'compact' ? undefined : staticFault(command);
    if (fault !== undefined) return { answer: { code: fault }, events: [] };
    if (command.op === 'compact') return { answer: this.#compact(command.revision), events: [] };
    const before = this.stateAt(this.revision);
    const refusal = this.#refusal([command], before);
    if (refusal !== undefined) return { answer: refusal, events: [] };
    const draft: Draft = { state: before, before, events: [] };
    const answer = this.#run(command, draft);
    if (draft.events.length > 0) this.revision += 1;
    this.changes.push(...draft.events);
    return { answer, events: draft.events };
  }

  /** All pairs after a revision, in key order. */
  stateAt(revision: number): KeyVersion[] {
    const last = new Map<string, KeyVersion | undefined>();
    for (const change of this.changes) {
      if (change.revision <= revision) last.set(change.key, change.current);
    }
    const live = [...last.values()].filter((kv) => kv !== undefined);
    return live.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** A read outside a transaction. */
  range(operation: RangeOperation): ReferenceAnswer {
    const refusal = this.#rangeRefusal(operation);
    if (refusal !== undefined) return refusal;
    const answer = this.#answer(operation, this.stateAt(this.revision));
    return { op: 'range', revision: this.revision, ...answer };
  }

  /** Changes of the selected keys from a revision on, by revision. */
  history(fromRevision: number, keys: KeySelection): ReferenceAnswer | KeyEvent[][] {
    if (fromRevision < this.compactRevision) return this.#compacted();
    const groups: KeyEvent[][] = [];
    for (const change of this.changes) {
      if (change.revision < fromRevision || !isIn(keys, change.key)) continue;
      const { previous, ...event } = change;
      // What a change at the compacted revision replaced is compacted.
      const isKnown = previous !== undefined && change.revision > this.compactRevision;
      const shown = isKnown ? { ...event, previous } : event;
      if (groups.at(-1)?.[0]?.revision === change.revision) groups.at(-1)!.push(shown);
      else groups.push([shown]);
    }
    return groups;
  }

  /**
   * The changes whose records are left once everything compacted is removed, and the puts among them
   * that have an end.
   */
  survivors(): { readonly history: readonly KeyEvent[]; readonly closed: readonly KeyEvent[] } {
    const endOf = (change: KeyEvent): number | undefined =>
      this.changes.find((it) => it.key === change.key && it.revision > change.revision)?.revision;
    const isLeft = (change: KeyEvent): boolean => {
      if (change.type === 'delete') return change.revision >= this.compactRevision;
      return (endOf(change) ?? Infinity) > this.compactRevision;
    };
    const history = this.changes.filter(isLeft);
    const closed = history.filter((it) => it.type === 'put' && endOf(it) !== undefined);
    return { history, closed };
  }

  #lease(command: LeaseCommand, place: LogPlace) {
    const { answer, gone } = this.leases.execute(command, place, this.stateAt(this.revision));
    const events = deletesOf(gone, this.revision + 1);
    if (events.length > 0) this.revision += 1;
    this.changes.push(...events);
    if ('code' in answer) return { answer, events };
    return { answer: { op: command.op, revision: this.revision, ...answer }, events };
  }

  #compact(to: number): ReferenceAnswer {
    if (to < 1) return { code: 'ARGUMENT_INVALID' };
    if (to > this.revision) return { code: 'FUTURE_REVISION', revision: this.revision };
    if (to <= this.compactRevision) return this.#compacted();
    this.compactRevision = to;
    return { op: 'compact', revision: this.revision, compactRevision: to };
  }

  #compacted(): ReferenceAnswer {
    return { code: 'COMPACTED', compactRevision: this.compactRevision };
  }

  #rangeRefusal({ revision }: RangeOperation): ReferenceAnswer | undefined {
    if (revision === undefined) return undefined;
    if (revision > this.revision) return { code: 'FUTURE_REVISION', revision: this.revision };
    return revision < this.compactRevision ? this.#compacted() : undefined;
  }

  /** The first reason against what would run, before anything does. */
  #refusal(
    operations: readonly Operation[],
    before: readonly KeyVersion[],
  ): ReferenceAnswer | undefined {
    for (const operation of operations) {
      let found: ReferenceAnswer | undefined;
      if (operation.op === 'txn') found = this.#refusal(branchOf(operation, before), before);
      if (operation.op === 'range') found = this.#rangeRefusal(operation);
      if (operation.op === 'put' && (operation.ignoreValue || operation.ignoreLease)) {
        const exists = before.some(({ key }) => key === operation.key);
        found = exists ? undefined : { code: 'KEY_NOT_FOUND' };
      }
      if (operation.op === 'put' && operation.lease && !this.leases.has(operation.lease)) {
        found ??= { code: 'LEASE_NOT_FOUND' };
      }
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #run(operation: Operation, draft: Draft): ReferenceAnswer {
    const now = () => this.revision + (draft.events.length > 0 ? 1 : 0);
    switch (operation.op) {
      case 'range': {
        const answer = this.#answer(operation, draft.state);
        return { op: 'range', revision: now(), ...answer };
      }
      case 'txn': {
        const succeeded = operation.compares.every((it) => holds(it, draft.before));
        const branch = succeeded ? operation.success : operation.failure;
        const results = branch.map((each) => this.#run(each, draft));
        return { op: 'txn', succeeded, revision: now(), results };
      }
      case 'delete': {
        const gone = draft.state.filter(({ key }) => isIn(operation.keys, key));
        for (const previous of gone) {
          const place = { revision: this.revision + 1, sub: draft.events.length };
          draft.events.push({ type: 'delete', key: previous.key, ...place, previous });
        }
        draft.state = draft.state.filter((kv) => !gone.includes(kv));
        const answer = { op: 'delete', revision: now(), deleted: gone.length };
        return operation.previous ? { ...answer, previous: gone } : answer;
      }
      case 'put': {
        const previous = draft.state.find(({ key }) => key === operation.key);
        const current = putVersion(operation, previous, this.revision + 1);
        const place = { revision: this.revision + 1, sub: draft.events.length };
        const event: KeyEvent = { type: 'put', key: operation.key, ...place, current };
        draft.events.push(previous === undefined ? event : { ...event, previous });
        draft.state = [...draft.state.filter((kv) => kv !== previous), current].sort((a, b) =>
          a.key < b.key ? -1 : 1,
        );
        return { op: 'put', revision: now(), previous };
      }
    }
  }

  #answer(operation: RangeOperation, latest: readonly KeyVersion[]): ReferenceAnswer {
    const state = operation.revision === undefined ? latest : this.stateAt(operation.revision);
    const selected = state.filter(({ key }) => isIn(operation.keys, key));
    if (operation.countOnly) return { kvs: [], more: false, count: selected.length };
    const {
      minModRevision: minMod,
      maxModRevision: maxMod,
      minCreateRevision: minCreate,
    } = operation;
    const bounded = selected
      .filter((kv) => minMod === undefined || kv.modRevision >= minMod)
      .filter((kv) => maxMod === undefined || kv.modRevision <= maxMod)
      .filter((kv) => minCreate === undefined || kv.createRevision >= minCreate)
      .filter((kv) => kv.createRevision <= (operation.maxCreateRevision ?? kv.createRevision));
    const ordered = order(bounded, operation);
    const cut = ordered.slice(0, operation.limit ?? ordered.length);
    const kvs = operation.keysOnly ? cut.map((kv) => ({ ...kv, value: new Uint8Array(0) })) : cut;
    const answer = { kvs, more: cut.length < ordered.length };
    return operation.count ? { ...answer, count: selected.length } : answer;
  }
}

function isOfLeases(command: Command): command is LeaseCommand {
  return command.op.startsWith('lease-');
}

type Put = Operation & { op: 'put' };

function putVersion(put: Put, previous: KeyVersion | undefined, modRevision: number): KeyVersion {
  const lease = put.ignoreLease ? previous?.lease : put.lease;
  return {
    key: put.key,
    value: put.ignoreValue ? previous!.value : put.value,
    createRevision: previous?.createRevision ?? modRevision,
    modRevision,
    version: (previous?.version ?? 0) + 1,
    lease: lease === 0n ? undefined : lease,
  };
}

/** Insertion by insertion: whoever is equal stays behind those that came before in key order. */
function order(kvs: readonly KeyVersion[], { sort }: RangeOperation): KeyVersion[] {
  if (sort === undefined) return [...kvs];
  const fields = {
    key: (kv: KeyVersion) => kv.key,
    version: (kv: KeyVersion) => kv.version,
    'create-revision': (kv: KeyVersion) => kv.createRevision,
    'mod-revision': (kv: KeyVersion) => kv.modRevision,
    value: (kv: KeyVersion) => latin1(kv.value),
  };
  const field = fields[sort.target];
  const sorted: KeyVersion[] = [];
  for (const kv of kvs) {
    const isAfter = (other: KeyVersion) =>
      sort.order === 'ascend' ? field(other) > field(kv) : field(other) < field(kv);
    const at = sorted.findIndex(isAfter);
    sorted.splice(at < 0 ? sorted.length : at, 0, kv);
  }
  return sorted;
}

function branchOf(txn: TxnCommand, before: readonly KeyVersion[]): readonly Operation[] {
  return txn.compares.every((it) => holds(it, before)) ? txn.success : txn.failure;
}

function isIn({ gte, lt }: KeySelection, key: string): boolean {
  return key >= gte && (lt === undefined || key < lt);
}

/** What of an operation changes keys: a put, or a delete, each by itself. */
function writesOf(operation: Operation): (Operation & { op: 'put' | 'delete' })[] {
  if (operation.op === 'range') return [];
  if (operation.op !== 'txn') return [operation];
  return [...operation.success, ...operation.failure].flatMap(writesOf);
}

/** The duplicate rule, pair by pair, for each two operations of a branch. */
function staticFault(operation: Operation): string | undefined {
  if (operation.op !== 'txn') return undefined;
  for (const branch of [operation.success, operation.failure]) {
    for (const each of branch) {
      const found = staticFault(each);
      if (found !== undefined) return found;
    }
    for (const [at, one] of branch.entries()) {
      for (const other of branch.slice(at + 1)) {
        for (const a of writesOf(one)) {
          for (const b of writesOf(other)) if (clashes(a, b)) return 'DUPLICATE_KEY';
        }
      }
    }
  }
  return undefined;
}

type Write = Operation & { op: 'put' | 'delete' };

function clashes(a: Write, b: Write): boolean {
  if (a.op === 'put') return b.op === 'put' ? a.key === b.key : isIn(b.keys, a.key);
  return b.op === 'put' && isIn(a.keys, b.key);
}

function holds(compare: Compare, state: readonly KeyVersion[]): boolean {
  const kvs = state.filter(({ key }) => isIn(compare.keys, key));
  if (kvs.length === 0) return holdsFor(compare, undefined);
  return kvs.every((kv) => holdsFor(compare, kv));
}

function holdsFor(compare: Compare, kv: KeyVersion | undefined): boolean {
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
