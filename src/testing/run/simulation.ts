/**
 * One run of a scenario: faults under load, then healing, then what is owed (reliability plan §2, two
 * phases as in TigerBeetle's VOPR).
 */
import { isKontikiError } from '../../base/errors.js';
import type { MemberInfo } from '../../codec/member-codec.js';
import { LostDirectories } from '../changes/lost-directories.js';
import { MovedMembers } from '../changes/moved-members.js';
import { RemovedMembers } from '../changes/removed-members.js';
import type { SimCluster, SimService } from '../cluster/sim-cluster.js';
import type { DriverRule, DriverRuleParts } from '../driver-rule.js';
import { GroupMarks } from '../marks/group-marks.js';
import { SimRandom } from '../sim-random.js';
import { ChangeSupervisor } from './change-supervisor.js';
import { FaultSupervisor } from './fault-supervisor.js';
import { RaftWatch } from './raft-watch.js';
import type { Scenario } from './scenario.js';
import { StalledLeaders } from './stalled-leaders.js';
import type { Workload, WorkloadContext } from './workload.js';

/** How long a healed group may take for each thing it owes, in virtual milliseconds. */
const patienceMs = 30_000;

/** How often violations are looked for, in virtual milliseconds. */
const sliceMs = 500;

/** A broken promise. @since 0.1.0 */
export interface Violation {
  /** Of the invariant: see docs/api/testing.md. */
  readonly id: string;
  /** What was expected and what came. */
  readonly message: string;
  /** Virtual milliseconds since the start. */
  readonly atMs: number;
}

/** What came of a run. @since 0.1.0 */
export interface SimulationReport {
  readonly scenario: Scenario;
  /** The first broken promise, if any. */
  readonly violation: Violation | undefined;
  /** Hash of everything that happened: equal for equal runs. */
  readonly traceHash: string;
  /** The newest lines of the trace, oldest first. */
  readonly trace: readonly string[];
  readonly simulatedMs: number;
  /** Of the workload, of the faults by kind, and of the marks that were reached (docs/api/sim.md). */
  readonly figures: Readonly<Record<string, number>>;
}

/** @since 0.1.0 */
export class Simulation<S extends SimService> {
  readonly #cluster: SimCluster<S>;
  readonly #scenario: Scenario;
  readonly #workload: Workload<S>;
  readonly #supervisor: FaultSupervisor;
  readonly #changes: ChangeSupervisor;
  readonly #watch: RaftWatch;
  readonly #faults: Record<string, number> = {};
  #marks: GroupMarks | undefined;
  #violation: Violation | undefined;
  /** So many members are damaged for good that the rest cannot decide. */
  #isUnowed = false;

  /**
   * @param scenario - what is to happen
   * @param cluster - made for it; none of its members runs
   * @param workload - new
   */
  constructor(scenario: Scenario, cluster: SimCluster<S>, workload: Workload<S>) {
    this.#scenario = scenario;
    this.#cluster = cluster;
    this.#workload = workload;
    const violated = (id: string, message: string) => this.violated(id, message);
    this.#supervisor = new FaultSupervisor(cluster, violated);
    this.#changes = new ChangeSupervisor(cluster, this.#supervisor);
    this.#watch = new RaftWatch(() => cluster.sim.scheduler.nowUs, violated);
  }

  /** Reports a broken promise; the first one counts. */
  violated(id: string, message: string): void {
    this.#violation ??= { id, message, atMs: this.#cluster.sim.nowMs };
  }

  /** Runs to the end, or to the first broken promise. Never rejects for what the code under test does. */
  async run(): Promise<SimulationReport> {
    try {
      this.#workload.observe(this.#context());
      this.#cluster.onMachine((machine) => this.#watch.watch(machine));
      this.#supervisor.observe();
      this.#observeRules();
      this.#marks = new GroupMarks(this.#cluster);
      await this.#cluster.startAll(patienceMs);
      await this.#underFaults();
      if (this.#violation === undefined) await this.#healed();
    } catch (error) {
      this.violated(...violationOf(error));
    }
    const { sim } = this.#cluster;
    return {
      scenario: this.#scenario,
      violation: this.#violation,
      traceHash: sim.traceHash,
      trace: sim.scheduler.traceLines,
      simulatedMs: sim.nowMs,
      figures: {
        ...this.#workload.summary(),
        ...this.#changes.figures,
        ...this.#faults,
        ...this.#marks?.counts,
      },
    };
  }

  /** Those that look at what a driver does, not at its core. */
  #observeRules(): void {
    const { scheduler } = this.#cluster.sim;
    const parts: DriverRuleParts = {
      nowUs: () => scheduler.nowUs,
      electionUs: 10_000 * (this.#scenario.tickMs ?? 100),
      violated: (id, message) => this.violated(id, message),
    };
    const rules: readonly DriverRule[] = [
      new StalledLeaders(parts),
      new RemovedMembers(parts),
      new MovedMembers(parts),
      new LostDirectories(parts),
    ];
    this.#cluster.onMachine((machine) => {
      for (const rule of rules) rule.observe(machine);
    });
  }

  async #underFaults(): Promise<void> {
    const { sim } = this.#cluster;
    const startUs = sim.scheduler.nowUs;
    this.#workload.start(this.#context());
    for (const { atMs, fault } of this.#scenario.faults) {
      sim.scheduler.at(startUs + Math.ceil(atMs * 1_000), () => {
        const name = `fault.${fault.kind}`;
        this.#faults[name] = (this.#faults[name] ?? 0) + 1;
        this.#marks?.fault(fault.kind);
        this.#supervisor.inject(fault);
      });
    }
    for (const { atMs, change } of this.#scenario.changes ?? []) {
      sim.scheduler.at(startUs + Math.ceil(atMs * 1_000), () => {
        const name = `change.${change.kind}`;
        this.#faults[name] = (this.#faults[name] ?? 0) + 1;
        this.#changes.make(change);
      });
    }
    const endMs = sim.nowMs + this.#scenario.durationMs;
    while (this.#violation === undefined && sim.nowMs < endMs) {
      await sim.run(Math.min(sliceMs, endMs - sim.nowMs));
    }
  }

  /** Liveness, which only a healed group owes: V1 to V4 of reliability §4. */
  async #healed(): Promise<void> {
    const { sim } = this.#cluster;
    sim.scheduler.trace('heal', '');
    this.#changes.heal();
    this.#supervisor.heal();
    // Voters that never met elect nobody: then no leader is owed either (ADR 0018).
    if (this.#supervisor.owesLiveness) this.#watch.healed();
    await this.#within('S2', 'old copies are refused', () => this.#supervisor.refusesCopies);
    await this.#within('V1', 'every member runs', () => this.#isEveryoneOpen);
    await this.#within('V1', 'a leader', () => this.#cluster.leader() !== undefined);
    await sim.run(2_000);
    await this.#atRest();
    await this.#served();
    await this.#atRest();
    const { finding } = this.#supervisor.ledger;
    if (finding !== undefined) this.violated('C7', finding);
    if (this.#isUnowed) return this.#workload.judge?.(this.#context());
    this.#supervisor.retireRemoved();
    // Who is damaged for good does not catch up, nor one whose machine was given up before it was added again.
    const { ledger, lost } = this.#supervisor;
    const isThere = ({ name }: MemberInfo) =>
      this.#cluster.names.includes(name) && !lost.includes(name);
    if (ledger.members.every(isThere)) this.#watch.end();
    if (this.#violation === undefined) await this.#workload.finish(this.#context());
  }

  /** Nobody asks for anything, and everyone is where the others are. */
  async #atRest(): Promise<void> {
    this.#workload.stop();
    const pending = () => this.#workload.pending + this.#changes.pending;
    await this.#within('V2', 'every call is settled', () => pending() === 0);
    // The last change may have been answered just now, with a member that is still to come.
    const equal = () => this.#isEveryoneOpen && this.#cluster.isSettled(this.#supervisor.owed);
    await this.#within('V3', 'all members are equal', equal);
  }

  /**
   * Members that refuse everything settle every call and are equal. They are asked once they are: under load
   * one whose snapshot takes longer than the others keep their log for need not ever catch up.
   */
  async #served(): Promise<void> {
    if (this.#violation !== undefined || this.#isUnowed) return;
    this.#workload.ask(this.#context(), this.#supervisor.owed);
    await this.#within('V4', 'every member serves: a fresh call of each kind succeeds', () => {
      const { unserved } = this.#workload;
      return !this.#supervisor.owed.some((name) => unserved.includes(name));
    });
  }

  get #isEveryoneOpen(): boolean {
    return this.#supervisor.owed.every((name) => this.#isOpen(name));
  }

  #isOpen(name: string): boolean {
    return this.#cluster.find(name)?.status().lifecycle === 'open';
  }

  async #within(id: string, what: string, condition: () => boolean): Promise<void> {
    if (this.#violation !== undefined || this.#isUnowed) return;
    const stop = () => this.#violation !== undefined || condition();
    try {
      await this.#cluster.sim.runUntil(stop, patienceMs);
    } catch (error) {
      if (!isKontikiError(error, 'TIMEOUT')) throw error;
      this.#isUnowed = !this.#supervisor.owesLiveness;
      if (this.#isUnowed) this.#faults['liveness.unowed'] = 1;
      else this.violated(id, `expected ${what} within ${patienceMs} ms of a healed group`);
    }
  }

  #context(): WorkloadContext<S> {
    const { sim } = this.#cluster;
    return {
      cluster: this.#cluster,
      scenario: this.#scenario,
      get nowUs() {
        return sim.scheduler.nowUs;
      },
      random: (stream, ...entity) => new SimRandom({ seed: sim.seed, stream, entity }),
      sleep: (ms) =>
        new Promise((resolve) => {
          sim.scheduler.after(Math.ceil(ms * 1_000), resolve);
        }),
      violated: (id, message) => this.violated(id, message),
    };
  }
}

/** An error that came out of the run itself: the code under test threw where nobody expects it. */
function violationOf(error: unknown): [id: string, message: string] {
  if (!(error instanceof Error)) return ['UNCAUGHT', String(error)];
  return [isKontikiError(error) ? error.code : 'UNCAUGHT', error.stack ?? error.message];
}
