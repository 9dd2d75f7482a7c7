/** A step of a cluster under test, as fast-check runs and prints it. */
import type fc from 'fast-check';
import type { SimCluster, SimService } from '../cluster/sim-cluster.js';
import { errorText } from '../error-text.js';
import { InvariantViolation } from '../invariants/invariant-violation.js';
import type { CommandHistory } from './command-history.js';

/**
 * A call of a client, a fault, or time that passes.
 *
 * @since 0.1.0
 */
export class ClusterCommand<S extends SimService, Input, Output>
  implements fc.AsyncCommand<CommandHistory<Input, Output>, SimCluster<S>, true>
{
  readonly #text: string;
  readonly #run: (
    history: CommandHistory<Input, Output>,
    cluster: SimCluster<S>,
  ) => Promise<unknown>;

  /**
   * @param text - how a counterexample shows it
   * @param run - carries it out; throws when the cluster is wrong
   */
  constructor(
    text: string,
    run: (history: CommandHistory<Input, Output>, cluster: SimCluster<S>) => Promise<unknown>,
  ) {
    this.#text = text;
    this.#run = run;
  }

  /** Who does not run cannot be asked: `run` looks itself, for faults change that as it goes. */
  async check(): Promise<boolean> {
    return true;
  }

  async run(history: CommandHistory<Input, Output>, cluster: SimCluster<S>): Promise<void> {
    try {
      await this.#run(history, cluster);
    } finally {
      // It explains whatever came of it better than that does.
      checkStanding(cluster);
    }
  }

  toString(): string {
    return this.#text;
  }
}

/**
 * No fault of a sequence excuses a member that stops by itself.
 *
 * @throws {InvariantViolation} S1
 * @since 0.1.0
 */
export function checkStanding<S extends SimService>(cluster: SimCluster<S>): void {
  for (const name of cluster.running) {
    const { failure } = cluster.service(name).status();
    if (failure === undefined) continue;
    const message = `${name} stopped: ${errorText(failure)}`;
    throw new InvariantViolation('S1', cluster.sim.scheduler.nowUs, message);
  }
}
