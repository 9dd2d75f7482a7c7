/** A backend in one map, sorted at every read, and the loops that drive a keyspace over it. */
import {
  type Change,
  type Execution,
  Keyspace,
  type Query,
  type ReadPlan,
  type ReadSet,
  segmentsOf,
} from '../../src/mvcc/index.js';
import { originOf, type Requested } from './reference-sessions.js';

export class SortedBackend {
  readonly records = new Map<string, Uint8Array>();
  /** Fetches that were not empty. */
  reads = 0;
  #executed = 0;

  read(plan: ReadPlan): ReadSet {
    if (plan.keys.length + plan.ranges.length > 0) this.reads += 1;
    const sorted = plan.ranges.length === 0 ? [] : [...this.records.keys()].sort(byUnits);
    const counts = plan.counts?.map(({ gte, lt }) => {
      return [...this.records.keys()].filter((key) => key >= gte && key < lt).length;
    });
    return {
      ...(counts !== undefined && { counts }),
      records: plan.keys.map((key) => this.records.get(key)),
      ranges: plan.ranges.map(({ gte, lt, limit, reverse }) => {
        const keys = sorted.filter((key) => key >= gte && key < lt);
        if (reverse) keys.reverse();
        return keys.slice(0, limit).map((key) => [key, this.records.get(key)!] as const);
      }),
    };
  }

  apply(changes: readonly Change[]): void {
    for (const [key, bytes] of changes) {
      if (bytes === undefined) this.records.delete(key);
      else this.records.set(key, bytes);
    }
  }

  open(): Keyspace {
    return Keyspace.open(this.read(Keyspace.openPlan()));
  }

  /** Runs a batch the way the state machine does; places in the log go by `originOf`. */
  run(keyspace: Keyspace, commands: readonly Requested[]): Execution[] {
    const all: Execution[] = [];
    const places = commands.map((command, nth) => originOf(this.#executed + nth + 1, command));
    this.#executed += commands.length;
    for (const segment of segmentsOf(keyspace, commands, places)) {
      let plan: ReadPlan | undefined = segment.plan;
      while (plan !== undefined) plan = segment.supply(this.read(plan));
      const { executions, changes } = segment.execute();
      this.apply(changes);
      all.push(...executions);
    }
    return all;
  }

  /** Runs a query to its end. */
  answer<R>(query: Query<R>): R {
    let at = query;
    while (!at.done) at = at.next(this.read(at.plan));
    return at.result;
  }
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : 1;
}
