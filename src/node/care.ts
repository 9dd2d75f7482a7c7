/**
 * What a member looks after with each tick, so that others need not: that it has space for log and state,
 * and that it does not stand still.
 */
import type { RawNode } from '../raft/raw-node.js';
import { FullDisk } from './full-disk.js';
import type { NodeOptions } from './node-options.js';
import { type StallFact, Stalls } from './stalls.js';
import type { Work } from './work-watch.js';

/** @since 0.1.0 */
export interface CareParts {
  readonly raft: RawNode;
  /** Writes of the log. */
  readonly persist: Work;
  /** Batches of the state machine. */
  readonly apply: Work;
  readonly onSpace: (hasSpace: boolean) => void;
  readonly onStall: (stall: StallFact) => void;
}

/** @since 0.1.0 */
export class Care {
  readonly #fullDisk: FullDisk;
  readonly #stalls: Stalls;

  constructor(options: NodeOptions, { raft, persist, apply, onSpace, onStall }: CareParts) {
    const { env, log, stateMachine: machine, tickMs = 100, electionTicks = 10 } = options;
    const { clock } = env;
    this.#fullDisk = new FullDisk({ raft, log, machine, electionTicks, onChange: onSpace });
    this.#stalls = new Stalls({
      ...{ raft, clock, tickMs, electionTicks, onStall },
      ...{ log: persist, state: apply },
    });
  }

  /** False while log or state wait for space on the disk. */
  get hasSpace(): boolean {
    return this.#fullDisk.hasSpace;
  }

  /** Called with each tick, inside a turn, before the core's. */
  tick(): void {
    this.#stalls.tick();
    this.#fullDisk.tick();
  }
}
