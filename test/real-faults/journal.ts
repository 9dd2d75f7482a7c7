/** What the clients of a run did, as the members told it, and whether that could have happened. */

import type { RegisterInput } from '../../src/testing/index.js';
import { checkLinearizable, type Operation, registerModel } from '../../src/testing/index.js';
import type { Change, Notice, Outcome } from './protocol.js';

type Call = Notice & { readonly tell: 'call' };
type Return = Notice & { readonly tell: 'return' };

/** A contradiction, in words. */
export type Fault = string;

/** How many faults of one kind are told. */
const told = 5;

export class Journal {
  readonly #calls = new Map<string, Call>();
  readonly #returns = new Map<string, Return>();
  /** By what they failed with. */
  readonly failures = new Map<string, number>();

  take(notice: Notice): void {
    if (notice.tell === 'call') this.#calls.set(notice.call, notice);
    if (notice.tell !== 'return') return;
    this.#returns.set(notice.call, notice);
    const { code } = notice;
    if (code !== undefined) this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
  }

  get size(): number {
    return this.#calls.size;
  }

  count(outcome: Outcome): number {
    let count = 0;
    for (const each of this.#returns.values()) if (each.outcome === outcome) count += 1;
    return count;
  }

  /** The newest revision that a client was told of. */
  get newestRevision(): number {
    let newest = 0;
    for (const { revision = 0 } of this.#returns.values()) newest = Math.max(newest, revision);
    return newest;
  }

  /** What a cluster begins with counts as written by somebody before everything else. */
  beginWith(changes: readonly Change[]): void {
    for (const [key, value] of contentsOf(changes)) {
      const revision = changes.findLast((change) => change.key === key)?.revision as number;
      const call = `before: ${key}`;
      const input: RegisterInput = { op: 'write', value };
      this.take({ tell: 'call', call, client: 'before', key, input, at: 0 });
      this.take({ tell: 'return', call, at: 1, outcome: 'ok', revision });
    }
  }

  /** Reads that were not answered with what is there. */
  failedReads(): Fault[] {
    const faults: Fault[] = [];
    for (const [id, { input, client }] of this.#calls) {
      const answer = this.#returns.get(id);
      if (input.op !== 'read' || answer?.outcome === 'ok') continue;
      faults.push(`a read of ${client}: ${answer?.code ?? 'no answer'}`);
    }
    return faults;
  }

  /** Every key is a register of its own; a call without an answer may have happened or not. */
  linearizabilityFaults(): Fault[] {
    const faults: Fault[] = [];
    for (const [key, history] of this.#histories()) {
      const { verdict, parts } = checkLinearizable(registerModel(), history);
      if (verdict !== 'ok') {
        faults.push(`${key}: ${verdict} after ${parts[0]?.longest.length} of ${history.length}`);
      }
    }
    return faults;
  }

  /**
   * Holds what clients were told against what happened.
   *
   * @param changes - all there were, in order
   */
  writeFaults(changes: readonly Change[]): Fault[] {
    const written = new Map<string, Change[]>();
    for (const change of changes) {
      if (change.value === null) continue;
      const same = written.get(change.value);
      if (same === undefined) written.set(change.value, [change]);
      else same.push(change);
    }
    const faults: Fault[] = [];
    for (const [value, same] of written) {
      if (same.length > 1) faults.push(`${value} was written ${same.length} times`);
    }
    for (const [id, { input, key }] of this.#calls) {
      if (input.op === 'read' || input.value === null) continue;
      const answer = this.#returns.get(id);
      const [change] = written.get(String(input.value)) ?? [];
      const isWritten = answer?.outcome === 'ok' && answer.swapped !== false;
      const isNot = answer?.outcome === 'rejected' || answer?.swapped === false;
      if (isNot && change !== undefined) {
        faults.push(`${input.value} was ${answer.code ?? 'not swapped'}, and written`);
      }
      if (!isWritten) continue;
      if (change?.key === key && change.revision === answer.revision) continue;
      faults.push(`${input.value}, acknowledged at ${answer.revision}: ${JSON.stringify(change)}`);
    }
    return faults.slice(0, told);
  }

  #histories(): ReadonlyMap<string, Operation<RegisterInput, object>[]> {
    const histories = new Map<string, Operation<RegisterInput, object>[]>();
    for (const [id, { client, key, input, at }] of this.#calls) {
      const answer = this.#returns.get(id);
      // It had no effect: no answer could be explained by it. `writeFaults` holds them to that.
      if (answer?.outcome === 'rejected') continue;
      const isKnown = answer?.outcome === 'ok';
      if (!isKnown && input.op === 'read') continue;
      const history = histories.get(key) ?? [];
      histories.set(key, history);
      history.push({
        client,
        input,
        callAt: at,
        returnAt: isKnown ? answer.at : Number.POSITIVE_INFINITY,
        output: isKnown ? outputOf(input, answer) : undefined,
      });
    }
    return histories;
  }
}

function outputOf({ op }: RegisterInput, { value = null, swapped = false }: Return): object {
  if (op === 'read') return { value };
  return op === 'cas' ? { swapped } : {};
}

/**
 * Where what a member's watches showed is not a part of what happened, in order and without a gap.
 *
 * @param gone - members that left in the middle, and saw only the beginning
 */
export function watchFaults(
  changes: ReadonlyMap<string, readonly Change[]>,
  gone: ReadonlySet<string> = new Set(),
): {
  readonly all: readonly Change[];
  readonly faults: Fault[];
} {
  const all = [...changes.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
  const faults: Fault[] = [];
  for (const [member, seen] of changes) {
    const due = gone.has(member) ? all.slice(0, seen.length) : all;
    const at = due.findIndex((change, nth) => JSON.stringify(change) !== JSON.stringify(seen[nth]));
    if (at < 0) continue;
    faults.push(
      `${member}: change ${at} is ${JSON.stringify(seen[at])}, not ${JSON.stringify(all[at])}`,
    );
  }
  let before = 0;
  for (const { revision } of all) {
    if (revision < before) faults.push(`revision ${revision} came after ${before}`);
    before = revision;
  }
  return { all, faults };
}

/** What the changes leave. */
export function contentsOf(changes: readonly Change[]): ReadonlyMap<string, string> {
  const contents = new Map<string, string>();
  for (const { key, value } of changes) {
    if (value === null) contents.delete(key);
    else contents.set(key, value);
  }
  return contents;
}
