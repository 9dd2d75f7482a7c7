/**
 * The fast simulator: bare Raft cores on a simulated network and simulated disks, without a promise
 * on the path. It says nothing about driver, codecs or store, which the full simulator runs; it says
 * a lot more about the protocol in the same time.
 *
 * ```ts
 * const report = simulateCores({ seed: 42, members: 5, durationMs: 60_000 });
 * if (report.violations.length > 0) throw new Error(describe(report));
 * ```
 */
import { isKontikiError } from '../../base/errors.js';
import { randomInt } from '../../base/prng.js';
import type { MemberId, RawNode } from '../../raft/index.js';
import type { InvariantViolation } from '../invariants/invariant-violation.js';
import {
  livenessInvariants,
  type RaftInvariantMaker,
  raftInvariants,
} from '../invariants/raft-invariants.js';
import { SimRandom } from '../sim-random.js';
import { leaseMsMax } from './bare-clock.js';
import { allFaults, type BareFaults, noFaults, swarmFaults } from './bare-faults.js';
import { BareLoad, type BareLoadOptions } from './bare-load.js';
import { BareNemesis } from './bare-nemesis.js';
import { recover } from './bare-recovery.js';
import { BareSimulation, type BareSimulationOptions } from './bare-simulation.js';
import { checkCoreOptions } from './check-core-options.js';
import { drawGroupOptions, type GroupOptions } from './core-options.js';

/**
 * @since 0.1.0
 */
export interface SimulateCoresOptions {
  /** Decides everything that is left to chance; a safe integer. */
  readonly seed: number;
  /** Founding voters; default 3. */
  readonly members?: number;
  /** Members that may join by changes; default 2 when the faults change the group, else 0. */
  readonly spares?: number;
  /** Virtual milliseconds with faults; what follows without is not counted. Default 60,000. */
  readonly durationMs?: number;
  /**
   * What goes wrong: `swarm`, a random half of it chosen by the seed (default), `all`, `none`, or
   * what differs from `none`.
   */
  readonly faults?: 'swarm' | 'all' | 'none' | Partial<BareFaults>;
  /** Rules to check; default all of Raft's. None: the run only shows that nothing throws. */
  readonly checks?: readonly RaftInvariantMaker[];
  readonly load?: BareLoadOptions;
  /** Of every core; default: the library's, or, with `swarm`, chosen by the seed. */
  readonly core?: GroupOptions;
  /** Virtual milliseconds of a tick; default 50. */
  readonly tickMs?: number;
  /** Virtual milliseconds after the faults within which the group must get on; default 60,000. */
  readonly recoveryMs?: number;
  /** How many of the newest events to tell in the report; they cost time; default 0. */
  readonly traceLines?: number;
  /** Told of every node before it does anything. */
  readonly onNode?: (node: RawNode) => void;
}

/**
 * @since 0.1.0
 */
export interface CoreReport {
  readonly seed: number;
  /** What went wrong: at most one, since a run ends there. `id` of a rule, or the code of an error. */
  readonly violations: readonly {
    readonly id: string;
    readonly message: string;
    readonly atMs: number;
  }[];
  /** Events that were handled. */
  readonly events: number;
  readonly simulatedMs: number;
  /** Equal for equal runs, on every engine. */
  readonly traceHash: string;
  /** How often what happened. */
  readonly coverage: Readonly<Record<string, number>>;
  /** The newest events, if wanted. */
  readonly trace: readonly string[];
}

/**
 * Runs a group of bare cores through faults, and through the time after them.
 *
 * @param options - see {@link SimulateCoresOptions}
 * @returns what happened; it throws nothing for what it finds
 * @throws {KontikiError} OPTIONS_INVALID
 * @since 0.1.0
 */
export function simulateCores(options: SimulateCoresOptions): CoreReport {
  checkCoreOptions(options);
  const setting = settingOf(options);
  const { durationMs = 60_000, recoveryMs = 60_000 } = options;
  const violations: CoreReport['violations'][number][] = [];
  const simulation = new BareSimulation(setting);
  const load = new BareLoad(simulation, options.load);
  const nemesis = new BareNemesis(simulation);
  simulation.onOther = (kind, payload) => {
    if (!load.handle(kind)) nemesis.handle(kind, payload);
  };
  try {
    simulation.runTo(durationMs * 1_000);
    nemesis.stop();
    recover(simulation, load, recoveryMs * 1_000);
    simulation.checker.observe({ kind: 'end', atUs: simulation.nowUs });
  } catch (error) {
    violations.push({ ...found(error), atMs: simulation.nowUs / 1_000 });
  }
  simulation.steps.finish();
  return {
    seed: options.seed,
    violations,
    events: simulation.events,
    simulatedMs: Math.floor(simulation.nowUs / 1_000),
    traceHash: simulation.trace.hash,
    coverage: simulation.coverage.counts,
    trace: simulation.trace.lines,
  };
}

function found(error: unknown): { readonly id: string; readonly message: string } {
  const message = error instanceof Error ? error.message : String(error);
  if (!isKontikiError(error)) return { id: 'THROWN', message };
  const id = error.code === 'INVARIANT_VIOLATED' ? (error as InvariantViolation).id : error.code;
  return { id, message };
}

function settingOf(options: SimulateCoresOptions): BareSimulationOptions {
  const { seed, members = 3, faults: kind = 'swarm', tickMs = 50, recoveryMs = 60_000 } = options;
  const isSwarm = kind === 'swarm';
  const faults = faultsOf(seed, kind);
  const spares = options.spares ?? (faults.change.everyMs > 0 ? 2 : 0);
  const founders = Array.from({ length: members }, (_, at) => at + 1);
  const ids = Array.from({ length: members + spares }, (_, at) => at + 1);
  const random = new SimRandom({ seed, stream: 'swarm.setting', entity: [] });
  const leases = (ticks: number): number => leaseMsMax(ticks, tickMs, faults.driftPpm);
  const drawn = isSwarm ? drawGroupOptions(random, leases) : {};
  const group: GroupOptions = { ...drawn, disableConfChangeValidation: false, ...options.core };
  const someSync = isSwarm && randomInt(random, 3) === 0;
  const sync = new Set(ids.filter(() => someSync && randomInt(random, 2) === 0));
  const bounds = { leaderWithinUs: recoveryMs * 1_000, electionsMax: recoveryMs / 500 };
  return {
    seed,
    ids,
    founders,
    faults,
    tickMs,
    turnUs: isSwarm ? ([0, 50, 1_000][randomInt(random, 3)] as number) : 0,
    freezes: isSwarm && randomInt(random, 32) === 0,
    traceLines: options.traceLines ?? 0,
    checks: options.checks ?? [...raftInvariants, ...livenessInvariants(bounds)],
    core: (id: MemberId) => (sync.has(id) ? { ...group, asyncStorageWrites: false } : group),
    onNode: options.onNode,
  };
}

function faultsOf(seed: number, kind: NonNullable<SimulateCoresOptions['faults']>): BareFaults {
  if (kind === 'swarm') return swarmFaults(seed);
  if (kind === 'all') return allFaults;
  return kind === 'none' ? noFaults : { ...noFaults, ...kind };
}
