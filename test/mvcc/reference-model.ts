/**
 * The keyspace as anyone would write it who need not be fast: one array of every change that ever
 * was, never shortened. What a key was at a revision is found by walking all of it, and every answer
 * is a filter over that. It shares only types with the product. Beside it stands what is there now,
 * so that 100,000 keys in one command are no trouble.
 */
import type {
  Command,
  KeyEvent,
  KeySelection,
  KeyVersion,
  LeaseCommand,
  LogPlace,
  Operation,
  RangeOperation,
  RevisionEvents,
  TxnCommand,
} from '../../src/mvcc/index.js';
import type { ReadLease, ReadLeaseCommand } from '../../src/mvcc/types.js';
import { deletesOf, ReferenceLeases } from './reference-leases.js';
import { holds, isIn, latin1, staticFault } from './reference-rules.js';
import { originOf, ReferenceSessions, type Requested } from './reference-sessions.js';

/** What the model answers: a result, or the code and the figures of an error. */
export type ReferenceAnswer = Record<string, unknown>;

/** What a command did so far. */
interface Draft {
  readonly changed: Map<string, KeyVersion | undefined>;
  readonly events: KeyEvent[];
}

export class ReferenceModel {
  readonly changes: KeyEvent[] = [];
  revision = 1;
  compactRevision = 0;
  readonly leases = new ReferenceLeases();
  readonly sessions = new ReferenceSessions();
  readLease: ReadLease = { leaseMs: 0, everMs: 0 };
  readonly alarms = new Set<number>();
  /** Pairs that there are now: what {@link changes} come to. */
  readonly #now = new Map<string, KeyVersion>();
  /** Commands so far. */
  executed = 0;

  /** The next command of the log; its place there, unless given, is `originOf` its number. */
  execute(
    command: Requested,
    place?: LogPlace,
  ): {
    readonly answer: ReferenceAnswer;
    readonly events: readonly KeyEvent[];
  } {
    this.executed += 1;
    const events: KeyEvent[] = [];
    const origin = { ...originOf(this.executed, command), ...place };
    const known = this.sessions.answered(origin.request);
    if (known !== undefined) return { answer: known, events };
    const answer = this.#execute(command, origin, events);
    this.sessions.keep(origin, answer);
    if (events.length > 0) this.revision += 1;
    for (const event of events) {
      this.changes.push(event);
      if (event.current === undefined) this.#now.delete(event.key);
      else this.#now.set(event.key, event.current);
    }
    return { answer, events };
  }

  /** A transaction that only reads, outside the log. */
  readTxn(txn: TxnCommand): ReferenceAnswer {
    return this.#refusal(txn) ?? this.#run(txn, { changed: new Map(), events: [] });
  }

  /** A read outside a transaction. */
  range(operation: RangeOperation): ReferenceAnswer {
    const refusal = this.#rangeRefusal(operation);
    if (refusal !== undefined) return refusal;
    return this.#range(operation, { changed: new Map(), events: [] });
  }

  /** All pairs after a revision, in key order. */
  stateAt(revision: number): KeyVersion[] {
    const last = new Map<string, KeyVersion | undefined>();
    for (const change of this.changes) {
      if (change.revision <= revision) last.set(change.key, change.current);
    }
    return sorted([...last.values()]);
  }

  /** All changes of a revision, in order. */
  eventsOf(revision: number): KeyEvent[] {
    return this.changes.filter((change) => change.revision === revision);
  }

  /** Changes of the selected keys from a revision on, by revision, with all that they replaced. */
  events(fromRevision: number, keys: KeySelection): RevisionEvents[] {
    const groups: { revision: number; events: KeyEvent[] }[] = [];
    for (const change of this.changes) {
      const { revision } = change;
      if (revision < fromRevision || !isIn(keys, change.key)) continue;
      if (groups.at(-1)?.revision === revision) groups.at(-1)!.events.push(change);
      else groups.push({ revision, events: [change] });
    }
    return groups;
  }

  /** What history tells of them. */
  history(fromRevision: number, keys: KeySelection): ReferenceAnswer | KeyEvent[][] {
    if (fromRevision < this.compactRevision) return this.#compacted();
    return this.events(fromRevision, keys).map(({ events }) =>
      events.map(({ previous, ...event }) => {
        // What a change at the compacted revision replaced is compacted.
        const isKnown = previous !== undefined && event.revision > this.compactRevision;
        return isKnown ? { ...event, previous } : event;
      }),
    );
  }

  /**
   * The changes whose records are left once everything compacted is removed, and the puts among them
   * that have an end.
   */
  survivors(): { readonly history: readonly KeyEvent[]; readonly closed: readonly KeyEvent[] } {
    const history: KeyEvent[] = [];
    const closed: KeyEvent[] = [];
    const endOf = new Map<string, number>();
    for (const change of this.changes.toReversed()) {
      const end = endOf.get(change.key);
      endOf.set(change.key, change.revision);
      const isDelete = change.type === 'delete';
      const isLeft = isDelete
        ? change.revision >= this.compactRevision
        : (end ?? Infinity) > this.compactRevision;
      if (!isLeft) continue;
      history.push(change);
      if (!isDelete && end !== undefined) closed.push(change);
    }
    return { history, closed };
  }

  #execute(command: Command, place: LogPlace, events: KeyEvent[]): ReferenceAnswer {
    if (command.op === 'compact') return this.#compact(command.revision);
    if (command.op === 'read-lease') return this.#setReadLease(command);
    if (isOfLeases(command)) return this.#lease(command, place, events);
    if (command.op === 'session-open') {
      return { op: command.op, revision: this.revision, ...this.sessions.open(place.index) };
    }
    if (command.op === 'alarm') {
      const { member, isRaised } = command;
      const isChanged = this.alarms.has(member) !== isRaised;
      if (isRaised) this.alarms.add(member);
      else this.alarms.delete(member);
      return { op: 'alarm', revision: this.revision, isChanged };
    }
    const fault = staticFault(command);
    if (fault !== undefined) return { code: fault };
    return this.#refusal(command) ?? this.#run(command, { changed: new Map(), events });
  }

  #lease(command: LeaseCommand, place: LogPlace, events: KeyEvent[]): ReferenceAnswer {
    const attached = (id: bigint) =>
      sorted([...this.#now.values()].filter((kv) => kv.lease === id));
    const { answer, gone } = this.leases.execute(command, place, attached);
    for (const event of deletesOf(gone, this.revision + 1)) events.push(event);
    if ('code' in answer) return answer;
    return { op: command.op, revision: this.#revisionOf(events), ...answer };
  }

  #setReadLease({ leaseMs }: ReadLeaseCommand): ReferenceAnswer {
    // The first length a group is given is its only one.
    const everMs = this.readLease.everMs || leaseMs;
    this.readLease = { leaseMs: leaseMs === 0 ? 0 : everMs, everMs };
    return { op: 'read-lease', revision: this.revision, readLease: this.readLease };
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
  #refusal(operation: Operation): ReferenceAnswer | undefined {
    if (operation.op === 'range') return this.#rangeRefusal(operation);
    if (operation.op === 'txn') {
      for (const each of this.#choose(operation).branch) {
        const found = this.#refusal(each);
        if (found !== undefined) return found;
      }
    }
    if (operation.op !== 'put') return undefined;
    const { key, lease, ignoreValue, ignoreLease } = operation;
    if ((ignoreValue || ignoreLease) && !this.#now.has(key)) return { code: 'KEY_NOT_FOUND' };
    return lease && !this.leases.find(lease) ? { code: 'LEASE_NOT_FOUND' } : undefined;
  }

  /** By the state before the whole, however deep. */
  #choose({ compares, success, failure }: TxnCommand) {
    const before = compares.length === 0 ? [] : [...this.#now.values()];
    const succeeded = compares.every((it) => holds(it, before));
    return { succeeded, branch: succeeded ? success : failure };
  }

  #run(operation: Operation, draft: Draft): ReferenceAnswer {
    switch (operation.op) {
      case 'range':
        return this.#range(operation, draft);
      case 'txn': {
        const { succeeded, branch } = this.#choose(operation);
        const results = branch.map((each) => this.#run(each, draft));
        return { op: 'txn', succeeded, revision: this.#revisionOf(draft.events), results };
      }
      case 'delete': {
        const gone = this.#state(draft).filter(({ key }) => isIn(operation.keys, key));
        for (const previous of gone) {
          const { key } = previous;
          draft.changed.set(key, undefined);
          draft.events.push({ type: 'delete', key, ...this.#next(draft), previous });
        }
        const revision = this.#revisionOf(draft.events);
        const answer = { op: 'delete', revision, deleted: gone.length };
        return operation.previous ? { ...answer, previous: gone } : answer;
      }
      case 'put': {
        const { key } = operation;
        const previous = draft.changed.has(key) ? draft.changed.get(key) : this.#now.get(key);
        const current = putVersion(operation, previous, this.revision + 1);
        const event: KeyEvent = { type: 'put', key, ...this.#next(draft), current };
        draft.changed.set(key, current);
        draft.events.push(previous === undefined ? event : { ...event, previous });
        const answer = { op: 'put', revision: this.revision + 1 };
        return operation.previous ? { ...answer, previous } : answer;
      }
    }
  }

  /** Where the next change of a command stands. */
  #next({ events }: Draft) {
    return { revision: this.revision + 1, sub: events.length };
  }

  /** The revision that is told once a command has these changes. */
  #revisionOf(events: readonly KeyEvent[]): number {
    return this.revision + (events.length > 0 ? 1 : 0);
  }

  /** Pairs that a command sees, in key order. */
  #state({ changed }: Draft): KeyVersion[] {
    return sorted([
      ...new Map<string, KeyVersion | undefined>([...this.#now, ...changed]).values(),
    ]);
  }

  #range(operation: RangeOperation, draft: Draft): ReferenceAnswer {
    const { revision } = operation;
    const state = revision === undefined ? this.#state(draft) : this.stateAt(revision);
    return { op: 'range', revision: this.#revisionOf(draft.events), ...answerOf(operation, state) };
  }
}

function answerOf(operation: RangeOperation, state: readonly KeyVersion[]): ReferenceAnswer {
  const selected = state.filter(({ key }) => isIn(operation.keys, key));
  if (operation.countOnly) return { kvs: [], more: false, count: selected.length };
  const { minModRevision: minMod, maxModRevision: maxMod } = operation;
  const { minCreateRevision: minCreate, maxCreateRevision: maxCreate } = operation;
  const bounded = selected
    .filter((kv) => minMod === undefined || kv.modRevision >= minMod)
    .filter((kv) => maxMod === undefined || kv.modRevision <= maxMod)
    .filter((kv) => minCreate === undefined || kv.createRevision >= minCreate)
    .filter((kv) => maxCreate === undefined || kv.createRevision <= maxCreate);
  const ordered = inOrder(bounded, operation);
  const cut = ordered.slice(0, operation.limit ?? ordered.length);
  const kvs = operation.keysOnly ? cut.map((kv) => ({ ...kv, value: new Uint8Array(0) })) : cut;
  const answer = { kvs, more: cut.length < ordered.length };
  return operation.count ? { ...answer, count: selected.length } : answer;
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

/** Those that are there, by key. */
function sorted(kvs: readonly (KeyVersion | undefined)[]): KeyVersion[] {
  return kvs.filter((kv) => kv !== undefined).sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Whoever is equal stays behind those that came before in key order. */
function inOrder(kvs: readonly KeyVersion[], { sort }: RangeOperation): readonly KeyVersion[] {
  if (sort === undefined) return kvs;
  const fields = {
    key: (kv: KeyVersion) => kv.key,
    version: (kv: KeyVersion) => kv.version,
    'create-revision': (kv: KeyVersion) => kv.createRevision,
    'mod-revision': (kv: KeyVersion) => kv.modRevision,
    value: (kv: KeyVersion) => latin1(kv.value),
  };
  const field = fields[sort.target];
  const up = sort.order === 'ascend' ? 1 : -1;
  return [...kvs].sort((a, b) => {
    if (field(a) === field(b)) return 0;
    return field(a) < field(b) ? -up : up;
  });
}
