/**
 * Makes a failing scenario smaller: what is left when nothing more can be taken away is what the
 * failure needs (delta debugging, Zeller and Hildebrandt 2002). A smaller scenario counts only if the
 * same invariant breaks; keyed randomness keeps everything else as it was.
 */
import type { Scenario } from './scenario.js';
import type { SimulationReport } from './simulation.js';

/** @since 0.1.0 */
export interface ShrinkOptions {
  /** Runs to spend at most; default 300. */
  readonly runsMax?: number | undefined;
  /** Told after each run: how many there were, and the smallest failing scenario so far. */
  readonly onRun?: ((runs: number, smallest: Scenario) => void) | undefined;
}

/** Another scenario to try; `undefined`: nothing of this kind is left. */
type Step = (scenario: Scenario) => Scenario | undefined;

/**
 * Shrinks the scenario of a report that has a violation.
 *
 * @param report - as `run` gave it
 * @param run - runs a scenario; deterministic
 * @param options - see {@link ShrinkOptions}
 * @returns the report of the smallest scenario found; `report` itself when there is none smaller
 * @since 0.1.0
 */
export async function shrink(
  report: SimulationReport,
  run: (scenario: Scenario) => Promise<SimulationReport>,
  options: ShrinkOptions = {},
): Promise<SimulationReport> {
  const search = new ShrinkSearch(report, run, options);
  await search.attempt(endAtFailure(report));
  for (let before = ''; before !== search.shape; ) {
    before = search.shape;
    await search.drop('faults');
    await search.drop('changes');
    for (const step of smallerSteps) await search.repeat(step);
  }
  return search.smallest;
}

class ShrinkSearch {
  smallest: SimulationReport;
  readonly #id: string | undefined;
  readonly #run: (scenario: Scenario) => Promise<SimulationReport>;
  readonly #options: ShrinkOptions;
  #runs = 0;

  constructor(
    report: SimulationReport,
    run: (scenario: Scenario) => Promise<SimulationReport>,
    options: ShrinkOptions,
  ) {
    this.smallest = report;
    this.#id = report.violation?.id;
    this.#run = run;
    this.#options = options;
  }

  /** Tells whether a round changed anything. */
  get shape(): string {
    return JSON.stringify(this.smallest.scenario);
  }

  /** Runs a smaller scenario, and goes on from it if it still fails. */
  async attempt(scenario: Scenario | undefined): Promise<boolean> {
    const { runsMax = 300, onRun } = this.#options;
    if (scenario === undefined || this.#id === undefined || this.#runs >= runsMax) return false;
    this.#runs += 1;
    const report = await this.#run(scenario);
    const fails = report.violation?.id === this.#id;
    if (fails) this.smallest = report;
    onRun?.(this.#runs, this.smallest.scenario);
    return fails;
  }

  async repeat(step: Step): Promise<void> {
    while (await this.attempt(step(this.smallest.scenario))) {
      // Each success is the start of the next step.
    }
  }

  /** Halves, quarters and so on down to single faults. */
  async drop(what: 'faults' | 'changes'): Promise<void> {
    const count = () => this.smallest.scenario[what]?.length ?? 0;
    for (let size = count(); size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < count(); ) {
        const { scenario } = this.smallest;
        const isKept = (_: unknown, i: number) => i < at || i >= at + size;
        const fewer =
          what === 'faults'
            ? { ...scenario, faults: scenario.faults.filter(isKept) }
            : { ...scenario, changes: scenario.changes?.filter(isKept) };
        if (!(await this.attempt(fewer))) at += size;
      }
    }
  }
}

/** What happens after the failure cannot have caused it. */
function endAtFailure({ scenario, violation }: SimulationReport): Scenario | undefined {
  const endMs = Math.ceil(violation?.atMs ?? scenario.durationMs);
  if (endMs >= scenario.durationMs) return undefined;
  return { ...scenario, ...upTo(scenario, endMs), durationMs: endMs };
}

/** What happens in the first part of a scenario. */
function upTo({ changes, faults }: Scenario, endMs: number): Partial<Scenario> {
  const isIn = ({ atMs }: { readonly atMs: number }) => atMs <= endMs;
  const own = { faults: faults.filter(isIn) };
  return changes === undefined ? own : { ...own, changes: changes.filter(isIn) };
}

const smallerSteps: readonly Step[] = [
  (scenario) => {
    const half = Math.floor(scenario.durationMs / 2);
    return half < 250 ? undefined : { ...scenario, ...upTo(scenario, half), durationMs: half };
  },
  ({ members, ...rest }) => (members <= 2 ? undefined : { ...rest, members: members - 2 }),
  (scenario) => fewer(scenario, 'clients'),
  (scenario) => fewer(scenario, 'keys'),
  ({ path, ...rest }) => (path === undefined ? undefined : rest),
  ({ tuning, ...rest }) => (tuning === undefined ? undefined : rest),
  ({ tickMs, ...rest }) => (tickMs === undefined ? undefined : rest),
  rounder(1_000),
  rounder(100),
];

function fewer(scenario: Scenario, field: 'clients' | 'keys'): Scenario | undefined {
  const count = scenario[field];
  return count <= 1 ? undefined : { ...scenario, [field]: Math.floor(count / 2) };
}

/** Times that a reader can take in; in the same order. */
function rounder(toMs: number): Step {
  return (scenario) => {
    const faults = scenario.faults.map(({ atMs, fault }) => {
      const round = Math.max(1, Math.round(atMs / toMs) * toMs);
      // What comes later would meet a group that was healed.
      return { atMs: round > scenario.durationMs ? atMs : round, fault };
    });
    const isSame = faults.every(({ atMs }, at) => atMs === scenario.faults[at]?.atMs);
    return isSame ? undefined : { ...scenario, faults };
  };
}
