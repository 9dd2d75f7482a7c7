/** One simulated process with its disk and its state machine. */
import type {
  IndexRange,
  MemberId,
  RawNode,
  Ready,
  Snapshot,
  StorageApply,
} from '../../src/raft/index.js';
import type { MemberStore } from './member-store.js';
import { type MachineState, StateMachine } from './random/state-machine.js';

/** A `Ready` of a member in synchronous mode, and what is left to do of it. */
export interface Turn {
  readonly ready: Ready;
  written: boolean;
  sent: boolean;
  applied: boolean;
}

/** `node` is absent while the process is down. */
export class Member {
  readonly id: MemberId;
  readonly store: MemberStore;
  readonly machine: StateMachine;
  node: RawNode | undefined;
  /** Synchronous mode: one `Ready` at a time. */
  sync = false;
  turn: Turn | undefined;
  applies: StorageApply[] = [];
  fetches: IndexRange[] = [];
  /** What it sends to members that need one. */
  snapshot: Snapshot | undefined;

  constructor(id: MemberId, store: MemberStore, state: MachineState) {
    this.id = id;
    this.store = store;
    this.machine = new StateMachine(state);
  }

  /** Last index the state machine has. */
  get applied(): number {
    return this.machine.state.index;
  }

  get up(): RawNode {
    if (this.node === undefined) throw new Error(`member ${this.id} is down`);
    return this.node;
  }

  /** Forgets all that is only in memory. */
  stop(): void {
    this.node = undefined;
    this.turn = undefined;
    this.applies = [];
    this.fetches = [];
    this.snapshot = undefined;
  }
}
