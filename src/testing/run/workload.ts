/**
 * What clients do while things go wrong, and what they must find when it is over.
 */
import type { Random } from '../../base/prng.js';
import type { SimCluster, SimService } from '../cluster/sim-cluster.js';
import type { Scenario } from './scenario.js';

/** What a workload lives in. @since 0.1.0 */
export interface WorkloadContext<S extends SimService> {
  readonly cluster: SimCluster<S>;
  readonly scenario: Scenario;
  /** Virtual microseconds: the time of calls and answers. */
  readonly nowUs: number;
  /** Keyed: see `SimRandom`. */
  random(stream: string, ...entity: readonly (string | number)[]): Random;
  /** Resolves after virtual milliseconds. */
  sleep(ms: number): Promise<void>;
  /**
   * Reports a broken promise of the service; the run ends.
   *
   * @param id - of the invariant
   * @param message - what was expected and what came
   */
  violated(id: string, message: string): void;
}

/** @since 0.1.0 */
export interface Workload<S extends SimService> {
  /** Hangs on to the machines whatever it wants to see of them. Called once, before any boots. */
  observe(context: WorkloadContext<S>): void;
  /** The clients begin. Called once, when all members have opened. */
  start(context: WorkloadContext<S>): void;
  /** The clients begin no further call. */
  stop(): void;
  /**
   * The group is healed and at rest: begins to ask each of these members for what any of them owes. Called
   * once, after `stop`, which is called again.
   */
  ask(context: WorkloadContext<S>, members: readonly string[]): void;
  /** Those of them that have not given yet all that they were asked for. */
  readonly unserved: readonly string[];
  /** Calls that nobody has answered and whose member has not died. */
  readonly pending: number;
  /**
   * Holds what clients were told against what the group did; absent: that was done all along. Owed by any
   * run, also by one whose group cannot decide any more.
   */
  judge?(context: WorkloadContext<S>): void;
  /** The group is healed, settled and at rest: judges, and looks whether all is as it must be. */
  finish(context: WorkloadContext<S>): Promise<void>;
  /** Figures for the report. */
  summary(): Readonly<Record<string, number>>;
}
