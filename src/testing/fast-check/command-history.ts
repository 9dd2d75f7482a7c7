/**
 * What a single client of a cluster did, and whether a model explains all it was told. A write whose
 * outcome is unknown may take effect at any time from then on, or never: so the model is not asked for
 * the next answer, but whether there is an order of everything that gives every answer.
 */
import fc from 'fast-check';
import { isKontikiError } from '../../base/errors.js';
import { checkLinearizable } from '../checkers/linearizability.js';
import type { Model } from '../checkers/model.js';
import type { Operation } from '../checkers/operation.js';
import type { SimCluster, SimService } from '../cluster/sim-cluster.js';
import { InvariantViolation } from '../invariants/invariant-violation.js';
import type { NextCall } from '../workload/clients.js';

/** After so many virtual milliseconds a call has settled, whatever happened. */
const settledWithinMs = 30_000;

/**
 * Of one check, and a run has one per answer. What a single client does has few orders, unless many
 * writes of unknown outcome do not commute.
 */
const budget = { stepsMax: 500_000, visitedMax: 100_000 } as const;

/** A call and how an error may be an answer. @since 0.1.0 */
export interface CommandCall<S, Input, Output> extends NextCall<S, Input, Output> {
  refusal?(error: unknown): Output | undefined;
}

/** @since 0.1.0 */
export class CommandHistory<Input, Output> {
  readonly #model: Model<unknown, Input, Output>;
  readonly #operations: Operation<Input, Output>[] = [];
  #events = 0;

  /**
   * @param model - of what is called
   */
  constructor(model: Model<unknown, Input, Output>) {
    this.#model = model;
  }

  /**
   * Calls a member, lets virtual time run until it has answered, and checks the answer.
   *
   * @param cluster - some member of which runs
   * @param member - which of those that run, modulo how many there are
   * @param call - what to ask
   * @returns the answer; `undefined` when there was none
   * @throws {InvariantViolation} X1, when nothing explains the answers so far
   * @throws what makes fast-check skip the run, when they have more orders than are looked at
   * @throws {KontikiError} TIMEOUT, when the call does not settle; any error that is no KontikiError and no
   *   answer, as the call failed with it
   */
  async call<S extends SimService>(
    cluster: SimCluster<S>,
    member: number,
    call: CommandCall<S, Input, Output>,
  ): Promise<Output | undefined> {
    const callAt = this.#event();
    const service = cluster.service(runningAt(cluster, member));
    const answered = call.run(service).then(
      (output) => ({ output, isRejected: false }),
      (error: unknown) => {
        const output = call.refusal?.(error);
        // A bug, or commands that cannot be encoded: as "unknown" it would pass for a network that is down.
        if (output === undefined && !isKontikiError(error)) throw error;
        return { output, isRejected: isKontikiError(error) && error.outcome === 'rejected' };
      },
    );
    const { output, isRejected } = await cluster.sim.complete(answered, settledWithinMs);
    if (output === undefined && isRejected) return undefined;
    const returnAt = output === undefined ? Infinity : this.#event();
    this.#operations.push({ client: 0, input: call.input, output, callAt, returnAt });
    if (output !== undefined) this.#check(cluster.sim.scheduler.nowUs);
    return output;
  }

  /** Something that may happen by itself at any time from now on, such as the end of a lease. */
  mayHappen(input: Input): void {
    this.#operations.push({ client: 0, input, callAt: this.#event(), returnAt: Infinity });
  }

  #event(): number {
    this.#events += 1;
    return this.#events;
  }

  #check(nowUs: number): void {
    const { parts, verdict } = checkLinearizable(this.#model, this.#operations, budget);
    // Nobody knows whether the answer is right, so the run must not count as one that held.
    fc.pre(verdict !== 'unknown');
    if (verdict === 'ok') return;
    const part = parts.find((each) => each.verdict === 'illegal');
    const { input, output } = part?.history[part.blocked ?? -1] ?? this.#operations.at(-1)!;
    const before = part?.longest.at(-1)?.state;
    const state = before === undefined ? '' : ` after ${this.#model.describeState(before)}`;
    const message = `nothing explains ${this.#model.describe(input, output)}${state}`;
    throw new InvariantViolation('X1', nowUs, message);
  }
}

/** A member that runs, by number. @since 0.1.0 */
export function runningAt<S extends SimService>(cluster: SimCluster<S>, at: number): string {
  const { running } = cluster;
  return running[at % running.length] as string;
}
