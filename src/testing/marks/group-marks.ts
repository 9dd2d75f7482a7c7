/**
 * What a simulated group went through, and in which phases faults hit it (reliability §7.6): a run in
 * which nothing happens would hold as well.
 */
import type { SimCluster, SimService } from '../cluster/sim-cluster.js';
import type { SimMachine } from '../sim-machine.js';
import { MemberMarks } from './member-marks.js';

/** For how long after an entry of its kind a phase lasts, in virtual microseconds. */
const afterglowUs = 100_000;

/** Kinds of entries that keep members busy after they are applied, and marks, with their phases. */
const phaseOf: ReadonlyMap<unknown, string> = new Map([
  ['compact', 'compacting'],
  ['lease-revoke', 'expiring'],
  ['snapshot.sent', 'snapshotting'],
  ['snapshot.installed', 'snapshotting'],
]);

/** @since 0.1.0 */
export class GroupMarks {
  /** How often each mark was reached; those never reached are absent. */
  readonly counts: Record<string, number> = {};
  readonly #cluster: SimCluster<SimService>;
  readonly #members = new Map<string, MemberMarks>();
  #appliedIndex = 0;
  /** When what begins a phase last happened. */
  readonly #begunUs = new Map<string, number>();

  /**
   * Looks on; to be made after everyone else who observes, before any member starts.
   *
   * @param cluster - whose members are watched
   */
  constructor(cluster: SimCluster<SimService>) {
    this.#cluster = cluster;
    cluster.onMachine((machine) => this.#members.set(machine.name, this.#watch(machine)));
  }

  /** A fault is about to be injected. */
  fault(kind: string): void {
    for (const phase of this.#phases()) this.#count(`fault.${kind}@${phase}`);
  }

  #watch(machine: SimMachine): MemberMarks {
    const member = new MemberMarks((mark) => {
      this.#count(mark);
      this.#begin(mark);
    });
    member.observe(machine);
    const { observer } = machine;
    machine.observer = {
      ...observer,
      applied: (entries, results) => {
        entries.forEach(({ index }, at) => {
          if (index > this.#appliedIndex) this.#applied(index, results[at]?.value);
        });
        observer.applied(entries, results);
      },
    };
    return member;
  }

  #applied(index: number, value: unknown): void {
    this.#appliedIndex = index;
    if (typeof value !== 'object' || value === null || !('op' in value)) return;
    this.#begin(value.op);
  }

  #begin(what: unknown): void {
    const phase = phaseOf.get(what);
    if (phase !== undefined) this.#begunUs.set(phase, this.#cluster.sim.scheduler.nowUs);
  }

  /** All phases that the group is in. */
  #phases(): readonly string[] {
    const { names, running, sim } = this.#cluster;
    const recent = [...this.#begunUs].filter(
      ([, atUs]) => sim.scheduler.nowUs - atUs < afterglowUs,
    );
    const phases = new Set(recent.map(([phase]) => phase));
    const isStarting = names.some((name) => {
      return this.#cluster.machine(name).running && this.#cluster.find(name) === undefined;
    });
    if (isStarting) phases.add('starting');
    const isSnapshotting = running.some((name) => this.#members.get(name)?.isSnapshotting);
    if (isSnapshotting) phases.add('snapshotting');
    if (this.#cluster.leader() === undefined) phases.add('electing');
    else if (!this.#cluster.isSettled()) phases.add('replicating');
    return phases.size === 0 ? ['resting'] : [...phases];
  }

  #count(mark: string): void {
    this.counts[mark] = (this.counts[mark] ?? 0) + 1;
  }
}
