/**
 * What a member's log must be: kept beside the core, from what the core accepted. The core reads its
 * log half from memory and half from the disk; an answer of the disk that counts for the wrong write
 * would show an entry here that was overwritten long ago. Scenario texts do not show that
 * (conformance §8, the ABA rule).
 */
import { expect } from 'vitest';
import type { Entry, LogId, Snapshot } from '../../../src/raft/index.js';
import type { RaftLog } from '../../../src/raft/log.js';

interface Shadow {
  readonly term: number;
  readonly type: Entry['type'];
  /** A copy, so that bytes changed in place are found. */
  readonly data: string;
}

export class ShadowLog {
  readonly #log: RaftLog;
  #base: LogId;
  #entries: Shadow[];

  /** Listens to `log` from now on. */
  constructor(log: RaftLog) {
    this.#log = log;
    const index = log.firstIndex - 1;
    this.#base = { index, term: log.termAt(index) };
    this.#entries = this.#read().map(shadowOf);
    const append = log.append.bind(log);
    log.append = (entries) => {
      append(entries);
      this.#append(entries);
    };
    const restore = log.restore.bind(log);
    log.restore = (snapshot) => {
      restore(snapshot);
      this.#restore(snapshot);
    };
  }

  /** Fails when the core reads another log than it accepted. */
  check(): void {
    const first = this.#log.firstIndex;
    const skipped = Math.max(0, first - this.#base.index - 1);
    const read = this.#read();
    const before = skipped > 0 ? this.#entries[skipped - 1] : this.#base;
    // Spelled out: this runs after every step, and a deep comparison takes its time.
    const isSame =
      read.length === this.#entries.length - skipped &&
      read.every((entry, at) => isShadowOf(this.#entries[skipped + at] as Shadow, entry)) &&
      read.every((entry) => this.#log.term(entry.index) === entry.term) &&
      this.#log.term(first - 1) === before?.term;
    if (isSame) return;
    const expected = this.#entries.slice(skipped);
    expect(read.map(shadowOf), 'the log as the core reads it').toEqual(expected);
    throw new Error('the log has other terms than its entries');
  }

  #append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    this.#entries.length = first.index - this.#base.index - 1;
    this.#entries.push(...entries.map(shadowOf));
  }

  #restore({ last }: Snapshot): void {
    this.#base = last;
    this.#entries = [];
  }

  #read(): readonly Entry[] {
    const { firstIndex, lastIndex } = this.#log;
    const entries = this.#log.slice(firstIndex, lastIndex + 1, Infinity);
    if (!Array.isArray(entries)) throw new Error(`the log from ${firstIndex} is not there`);
    if (!entries.every(({ index }, at) => index === firstIndex + at)) {
      throw new Error(`the log from ${firstIndex} has a hole`);
    }
    return entries;
  }
}

function isShadowOf(shadow: Shadow, { term, type, data }: Entry): boolean {
  if (shadow.term !== term || shadow.type !== type || shadow.data.length !== data.length)
    return false;
  for (let at = 0; at < data.length; at += 1) {
    if (shadow.data.charCodeAt(at) !== data[at]) return false;
  }
  return true;
}

function shadowOf({ term, type, data }: Entry): Shadow {
  return { term, type, data: Buffer.from(data).toString('latin1') };
}
