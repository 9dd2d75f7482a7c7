/**
 * The state machine of a bare member: a chain of hashes over everything applied, so that a wrong,
 * missing or repeated entry, and a wrong snapshot, show at once and for ever.
 */
import {
  type Configuration,
  type ConfState,
  type Entry,
  emptyConfiguration,
  restoreConfiguration,
  type Snapshot,
} from '../../raft/index.js';
import { nextHash } from './entry-hash.js';

/**
 * Everything a snapshot holds. Immutable.
 *
 * @since 0.1.0
 */
export interface MachineState {
  readonly index: number;
  readonly term: number;
  /** Hash of everything applied, in order. */
  readonly chain: number;
  readonly configuration: Configuration;
}

/**
 * Before the first entry.
 *
 * @param configuration - of the group at that point; default nobody
 * @since 0.1.0
 */
export function emptyState(configuration: ConfState = emptyConfiguration): MachineState {
  return { index: 0, term: 0, chain: 0, configuration: restoreConfiguration(configuration) };
}

/** A snapshot of a state. @since 0.1.0 */
export function snapshotOf({ index, term, chain, configuration }: MachineState): Snapshot {
  const data = new TextEncoder().encode(`${chain}`);
  return Object.freeze({ last: Object.freeze({ index, term }), configuration, data });
}

function stateOf({ last, configuration, data }: Snapshot): MachineState {
  const chain = Number(new TextDecoder().decode(data));
  return { ...last, chain, configuration: restoreConfiguration(configuration) };
}

/**
 * What is in memory, and how much of it a crash leaves.
 *
 * @since 0.1.0
 */
export class HashMachine {
  state: MachineState;
  durable: MachineState;
  /** States since `durable`, one per index: a flush may stop at any of them. */
  #since: MachineState[] = [];

  /**
   * @param state - where it begins, durably
   */
  constructor(state: MachineState) {
    this.state = state;
    this.durable = state;
  }

  /**
   * Applies the next entry.
   *
   * @param entry - of any index: that it is the right one is for the invariants to say
   * @param hash - of the entry
   * @param configuration - that it leads to
   */
  apply({ index, term }: Entry, hash: number, configuration: Configuration): void {
    const chain = nextHash(this.state.chain, { index, term, hash });
    this.state = { index, term, chain, configuration };
    this.#since.push(this.state);
  }

  /** Makes the state durable up to `index`, or as far as it is. */
  flush(index: number): void {
    let count = this.#since.length;
    while (count > 0 && (this.#since[count - 1] as MachineState).index > index) count -= 1;
    if (count === 0) return;
    this.durable = this.#since[count - 1] as MachineState;
    this.#since = this.#since.slice(count);
  }

  /**
   * A snapshot that became durable replaces everything older.
   *
   * @returns whether the state in memory is the snapshot's now
   */
  install(snapshot: Snapshot | undefined): boolean {
    if (snapshot === undefined || snapshot.last.index <= this.durable.index) return false;
    this.durable = stateOf(snapshot);
    this.#since = this.#since.filter((state) => state.index > snapshot.last.index);
    if (this.state.index > snapshot.last.index) return false;
    this.state = this.durable;
    return true;
  }

  /** Forgets what is not durable. */
  crash(): void {
    this.state = this.durable;
    this.#since = [];
  }
}
