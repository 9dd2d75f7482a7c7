/**
 * What a run proved, as one table, and what it failed to prove.
 */
import type { Files } from './files.js';
import { type Load, Tally } from './load.js';
import { formatCount, formatLatency, formatTable, type Row } from './table.js';

export interface Outcome {
  readonly files: Files;
  readonly load: Load;
  /** Name of the member that was killed. */
  readonly killed: string;
  /** Revisions written during the load; every put is one. */
  readonly revisions: number;
  /** What the watchers on the other members saw. */
  readonly seen: ReadonlyMap<
    string,
    { readonly events: number; readonly fault?: string | undefined }
  >;
  readonly members: readonly {
    readonly name: string;
    readonly keys: number;
    /** Keys whose value is not what the file holds. */
    readonly different: readonly string[];
  }[];
  readonly times: {
    /** Puts acknowledged before the kill, and how long that took. */
    readonly steadyPuts: number;
    readonly steadyMs: number;
    readonly loadMs: number;
    /** From the kill to the first write acknowledged elsewhere. */
    readonly leaderlessMs: number;
    /** The killed member's way back: until its store was open, then until it knew everything. */
    readonly openMs: number;
    readonly catchUpMs: number;
    readonly totalMs: number;
  };
}

/** Prints the table and every fault; returns whether there was none. */
export function report(outcome: Outcome): boolean {
  const header = ['', 'cluster', ...outcome.members.map(({ name }) => nameOf(name, outcome))];
  console.log(`\n${formatTable(header, rows(outcome))}\n`);
  const { load, times } = outcome;
  const codes = [...load.codes].map(([code, count]) => `${code} ${formatCount(count)}`);
  if (codes.length > 0) console.log(`puts sent again because of: ${codes.join(', ')}`);
  console.log(`${(times.totalMs / 1_000).toFixed(1)} s in all`);
  const faults = faultsOf(outcome);
  for (const fault of faults) console.error(`FAULT: ${fault}`);
  console.log(faults.length === 0 ? 'nothing lost, nothing twice' : `${faults.length} faults`);
  return faults.length === 0;
}

function nameOf(name: string, outcome: Outcome): string {
  return name === outcome.killed ? `${name} (killed)` : name;
}

function rows(outcome: Outcome): Row[] {
  const { files, load, members, seen, times } = outcome;
  const tallies = members.map(({ name }) => load.byMember.get(name) ?? new Tally());
  const perTally = (measure: string, format: (tally: Tally) => string): Row => ({
    measure,
    cells: [load.total, ...tallies].map(format),
  });
  const whole = (measure: string, cell: string): Row => ({ measure, cells: [cell] });
  const perSecond = (count: number, ms: number) => formatCount(count / (ms / 1_000));
  const eventCells = members.map(({ name }) => {
    const watcher = seen.get(name);
    return watcher === undefined ? '-' : formatCount(watcher.events);
  });
  const differences = members.map(({ different }) => different.length);
  const differenceCount = differences.reduce((sum, count) => sum + count, 0);
  return [
    {
      measure: 'keys',
      cells: [files.items.length, ...members.map(({ keys }) => keys)].map(formatCount),
    },
    perTally('puts acknowledged', (tally) => formatCount(tally.acknowledged)),
    perTally('puts/s, all of the load', (t) => perSecond(t.acknowledged, times.loadMs)),
    whole('puts/s, before the kill', perSecond(times.steadyPuts, times.steadyMs)),
    perTally('put p50, ms', (tally) => formatLatency(tally, 0.5)),
    perTally('put p99, ms', (tally) => formatLatency(tally, 0.99)),
    whole('without a leader, ms', formatCount(times.leaderlessMs)),
    whole('restart: open, ms', formatCount(times.openMs)),
    whole('restart: catch up, ms', formatCount(times.catchUpMs)),
    { measure: 'revisions, events seen', cells: [formatCount(outcome.revisions), ...eventCells] },
    perTally('re-sent (rejected)', (tally) => formatCount(tally.rejected)),
    perTally('re-sent (unknown)', (tally) => formatCount(tally.unknown)),
    { measure: 'differences', cells: [differenceCount, ...differences].map(formatCount) },
  ];
}

function faultsOf(outcome: Outcome): string[] {
  const { files, load, members, revisions, seen } = outcome;
  const { acknowledged, unknown } = load.total;
  const faults: string[] = [];
  if (revisions < acknowledged || revisions > acknowledged + unknown) {
    faults.push(
      `${acknowledged} puts were acknowledged and ${unknown} are unknown, ` +
        `but ${revisions} revisions were written`,
    );
  }
  for (const [name, { events, fault }] of seen) {
    if (fault !== undefined) faults.push(`watcher on ${name}: ${fault}`);
    if (events !== revisions) {
      faults.push(`watcher on ${name} saw ${events} events of ${revisions}`);
    }
  }
  for (const { name, keys, different } of members) {
    if (keys !== files.items.length) {
      faults.push(`${name} holds ${keys} keys for ${files.items.length} files`);
    }
    for (const key of different.slice(0, 5)) faults.push(`${name}: ${key} differs from its file`);
    if (different.length > 5) faults.push(`${name}: ${different.length - 5} more differ`);
  }
  return faults;
}
