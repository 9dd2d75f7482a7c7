/** A run that is over: what came of it, and what can be done about it. */
import type { Scenario } from './scenario.js';
import { type ScenarioSourceOptions, scenarioSource } from './scenario-source.js';
import { type ShrinkOptions, shrink } from './shrink.js';
import type { SimulationReport, Violation } from './simulation.js';
import { SimulationFailure } from './simulation-failure.js';

/** Runs a scenario on the code under test. @since 0.1.0 */
export type RunScenario = (scenario: Scenario) => Promise<SimulationReport>;

/** @since 0.1.0 */
export class SimulationRun implements SimulationReport {
  readonly scenario: Scenario;
  readonly violation: Violation | undefined;
  readonly traceHash: string;
  readonly trace: readonly string[];
  readonly simulatedMs: number;
  readonly figures: Readonly<Record<string, number>>;
  readonly #run: RunScenario;
  readonly #hasMachine: boolean;

  /**
   * @param report - of the run
   * @param again - `run`: how it ran; `hasMachine`: whether that was a state machine of the caller's
   */
  constructor(
    report: SimulationReport,
    again: { readonly run: RunScenario; readonly hasMachine: boolean },
  ) {
    this.scenario = report.scenario;
    this.violation = report.violation;
    this.traceHash = report.traceHash;
    this.trace = report.trace;
    this.simulatedMs = report.simulatedMs;
    this.figures = report.figures;
    this.#run = again.run;
    this.#hasMachine = again.hasMachine;
  }

  /**
   * Throws if an invariant was broken.
   *
   * @throws {SimulationFailure} INVARIANT_VIOLATED
   */
  assert(): void {
    if (this.violation !== undefined) {
      throw new SimulationFailure(this.violation, this, this.source());
    }
  }

  /**
   * Looks for a smaller scenario that breaks the same invariant.
   *
   * @param options - see {@link ShrinkOptions}
   * @returns the run of the smallest one found; this one when there is none, or nothing was broken
   */
  async shrink(options: ShrinkOptions = {}): Promise<SimulationRun> {
    const smallest = await shrink(this, this.#run, options);
    if (smallest === this) return this;
    return new SimulationRun(smallest, { run: this.#run, hasMachine: this.#hasMachine });
  }

  /**
   * The scenario as a TypeScript test.
   *
   * @param options - see {@link ScenarioSourceOptions}; default for a state machine of one's own:
   *   exported as `machine` by `./machine.js`
   */
  source(options: ScenarioSourceOptions = {}): string {
    const named = this.#hasMachine ? { name: 'machine', module: './machine.js' } : undefined;
    return scenarioSource(this, { ...options, machine: options.machine ?? named });
  }
}
