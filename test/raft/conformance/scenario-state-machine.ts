/**
 * The state machine of a scenario's member: it appends what it is told to what it has, and can give
 * any of its states as a snapshot.
 */
import {
  type Configuration,
  type ConfState,
  decodeConfChange,
  type Entry,
  type Snapshot,
} from '../../../src/raft/index.js';

export class ScenarioStateMachine {
  /** Its states, oldest first. */
  #history: Snapshot[];

  /** @param first - `undefined` for a member that begins with nothing */
  constructor(first: Snapshot | undefined) {
    this.#history = first === undefined ? [] : [first];
  }

  get latest(): Snapshot | undefined {
    return this.#history.at(-1);
  }

  get applied(): number {
    return this.latest?.last.index ?? 0;
  }

  get configuration(): ConfState {
    return this.latest?.configuration ?? {};
  }

  /** A snapshot takes the place of everything. */
  install(snapshot: Snapshot): void {
    this.#history.push(snapshot);
  }

  /** @param changeTo - applies a change; `undefined` when it cannot be made */
  apply(entry: Entry, changeTo: (entry: Entry) => Configuration | undefined): void {
    const { term, index } = entry;
    const changed = entry.type === 'normal' ? undefined : changeTo(entry);
    const configuration = changed ?? this.configuration;
    const data = new Uint8Array([...(this.latest?.data ?? []), ...dataOf(entry)]);
    this.#history.push({ last: { term, index }, configuration, data });
  }

  /** Forgets what came after `index`: it was not synced. */
  loseAfter(index: number): void {
    this.#history = this.#history.filter(({ last }) => last.index <= index);
  }
}

function dataOf(entry: Entry): Uint8Array {
  if (entry.type === 'normal') return entry.data;
  return decodeConfChange(entry).context ?? new Uint8Array(0);
}
