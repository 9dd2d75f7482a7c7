/** A failed run as an error that holds all it takes to fail again. */
import { InvariantViolation } from '../invariants/invariant-violation.js';
import type { Scenario } from './scenario.js';
import type { SimulationReport, Violation } from './simulation.js';

/** Newest lines of the trace in the message; all that were kept are in `trace`. */
const linesTold = 20;

/**
 * Thrown by `SimulationRun.assert`: `INVARIANT_VIOLATED`, with the `id` of the invariant and the virtual
 * time `atUs`.
 *
 * @since 0.1.0
 */
export class SimulationFailure extends InvariantViolation {
  readonly seed: number;
  readonly scenario: Scenario;
  /** A TypeScript test that runs the scenario again. */
  readonly source: string;
  /** The newest lines of the trace, oldest first. */
  readonly trace: readonly string[];

  /**
   * @param violation - of the report
   * @param report - of the run
   * @param source - see {@link SimulationFailure.source}
   */
  constructor(violation: Violation, report: SimulationReport, source: string) {
    const { scenario, trace } = report;
    const { id, message, atMs } = violation;
    const text = [
      `${message}\nseed ${scenario.seed} at ${atMs} ms; the scenario as a test:`,
      source,
      'what happened last:',
      ...trace.slice(-linesTold),
    ];
    super(id, Math.round(atMs * 1_000), text.join('\n'));
    this.name = 'SimulationFailure';
    this.seed = scenario.seed;
    this.scenario = scenario;
    this.source = source;
    this.trace = trace;
  }
}
