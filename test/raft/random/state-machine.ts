/**
 * The state machine of a simulated member: a chain of hashes over everything applied, so that a
 * wrong, missing or repeated entry, and a wrong snapshot, show at once and for ever.
 */
import {
  type Configuration,
  type ConfState,
  type Entry,
  emptyConfiguration,
  restoreConfiguration,
  type Snapshot,
} from '../../../src/raft/index.js';

/** Everything a snapshot holds. Immutable. */
export interface MachineState {
  readonly index: number;
  readonly term: number;
  readonly chain: number;
  readonly configuration: Configuration;
}

export function emptyState(configuration: ConfState = emptyConfiguration): MachineState {
  return { index: 0, term: 0, chain: 0, configuration: restoreConfiguration(configuration) };
}

/** The state after `entry`, with the configuration that it leads to. */
export function nextState(
  { chain: before }: MachineState,
  { index, term, type, data }: Entry,
  configuration: Configuration,
): MachineState {
  let chain = before;
  const add = (value: number): void => {
    chain = Math.imul(chain ^ value, 0x01000193) + (chain >>> 13);
  };
  for (const value of [index, term, type.length, data.length]) add(value);
  for (const byte of data) add(byte);
  return { index, term, chain: chain >>> 0, configuration };
}

export function snapshotOf({ index, term, chain, configuration }: MachineState): Snapshot {
  const data = new TextEncoder().encode(`${chain}`);
  return Object.freeze({ last: Object.freeze({ index, term }), configuration, data });
}

export function stateOf({ last, configuration, data }: Snapshot): MachineState {
  const chain = Number(new TextDecoder().decode(data));
  return { ...last, chain, configuration: restoreConfiguration(configuration) };
}

/** What is in memory, and how much of it a crash leaves. */
export class StateMachine {
  state: MachineState;
  durable: MachineState;
  /** States since `durable`, oldest first: a flush may stop at any of them. */
  #since: MachineState[] = [];

  constructor(state: MachineState) {
    this.state = state;
    this.durable = state;
  }

  apply(entry: Entry, configuration: Configuration): void {
    this.state = nextState(this.state, entry, configuration);
    this.#since.push(this.state);
  }

  /** Makes the state durable up to `index`, or as far as it is. */
  flush(index: number): void {
    const upTo = this.#since.filter((state) => state.index <= index).length;
    this.durable = this.#since[upTo - 1] ?? this.durable;
    this.#since = this.#since.slice(upTo);
  }

  /** A snapshot that became durable replaces everything older. */
  install(snapshot: Snapshot | undefined): boolean {
    if (snapshot === undefined || snapshot.last.index <= this.durable.index) return false;
    this.durable = stateOf(snapshot);
    this.#since = this.#since.filter((state) => state.index > snapshot.last.index);
    if (this.state.index > snapshot.last.index) return false;
    this.state = this.durable;
    return true;
  }

  crash(): void {
    this.state = this.durable;
    this.#since = [];
  }
}
