/** Which seed of which profile is next, and what has come of all of them. */
import { simProfiles } from '../../src/testing/swarm/profiles.js';
import { SimTotals } from '../../src/testing/swarm/sim-totals.js';
import type { SoakAnswer, SoakTask } from './soak-worker.js';

type Mode = 'stores' | 'cores';

/** Shares of real time; 1 unless told. Those that simulate most per second get most. */
const shares: Readonly<Record<string, number>> = { long: 10, away: 2, 'cores-quiet': 6 };

interface Lane {
  readonly name: string;
  readonly mode: Mode;
  readonly totals: SimTotals;
  nextSeed: number;
  realMs: number;
  /** Spent and about to be spent: what is under way counts as much as its last seed took. */
  claimedMs: number;
  lastMs: number;
}

export interface SoakPlanOptions {
  /** Names; default all. */
  readonly profiles?: readonly string[] | undefined;
  readonly firstSeed: number;
  /** Virtual hours wanted of each. */
  readonly hours: Readonly<Record<Mode, number>>;
}

export class SoakPlan {
  readonly violations: SoakAnswer[] = [];
  readonly #options: SoakPlanOptions;
  readonly #lanes: readonly Lane[];

  constructor(options: SoakPlanOptions) {
    this.#options = options;
    const names = options.profiles ?? [...simProfiles.keys()];
    this.#lanes = names.map((name) => {
      const profile = simProfiles.get(name);
      if (profile === undefined) throw new Error(`expected profiles, got '${name}'`);
      const mode = profile.draw(0).cores === undefined ? 'stores' : 'cores';
      const nextSeed = options.firstSeed;
      const totals = new SimTotals();
      return { name, mode, totals, nextSeed, realMs: 0, claimedMs: 0, lastMs: 1 };
    });
  }

  /** The profile that had least of its share of time, among those whose hours are not reached. */
  next(): SoakTask | undefined {
    const due = (lane: Lane) => lane.claimedMs / (shares[lane.name] ?? 1);
    const open = this.#lanes.filter(({ mode }) => this.#hours(mode) < this.#options.hours[mode]);
    const [first, ...rest] = open;
    if (first === undefined) return undefined;
    const lane = rest.reduce((least, each) => (due(each) < due(least) ? each : least), first);
    lane.claimedMs += lane.lastMs;
    lane.nextSeed += 1;
    return { profile: lane.name, seed: lane.nextSeed - 1 };
  }

  done(answer: SoakAnswer): void {
    const lane = this.#lanes.find(({ name }) => name === answer.profile) as Lane;
    lane.totals.add(answer);
    lane.realMs += answer.realMs;
    lane.claimedMs = lane.realMs;
    lane.lastMs = answer.realMs;
    if (answer.violation !== undefined) this.violations.push(answer);
  }

  #hours(mode: Mode): number {
    const own = this.#lanes.filter((lane) => lane.mode === mode);
    return own.reduce((sum, { totals }) => sum + totals.simulatedMs, 0) / 3_600_000;
  }

  progress(realMs: number): string {
    const runs = this.#lanes.reduce((sum, { totals }) => sum + totals.runs, 0);
    const hours = `${this.#hours('stores').toFixed(2)} h stores, ${this.#hours('cores').toFixed(2)} h cores`;
    return `${minutes(realMs)}: ${runs} seeds, ${hours}, ${this.violations.length} violations`;
  }

  table(realMs: number): string {
    const head = ['profile', 'seeds', 'hours', 'x real time', 'violations'];
    const rows = this.#lanes.map(({ name, totals, realMs: own }) => [
      name,
      String(totals.runs),
      (totals.simulatedMs / 3_600_000).toFixed(2),
      (totals.simulatedMs / Math.max(1, own)).toFixed(1),
      String(totals.violations.length),
    ]);
    const lines = [head, ...rows].map((row) => row.map((cell) => cell.padEnd(12)).join(' '));
    return [...lines, this.progress(realMs)].join('\n');
  }

  report(realMs: number): unknown {
    const { firstSeed } = this.#options;
    const profiles = this.#lanes.map(({ name, mode, totals, realMs: own }) => {
      const { runs, simulatedMs, counts } = totals;
      const sorted = Object.fromEntries(Object.entries(counts).sort());
      return { name, mode, seeds: runs, simulatedMs, realMs: Math.round(own), counts: sorted };
    });
    const hours = { stores: this.#hours('stores'), cores: this.#hours('cores') };
    return { realMs: Math.round(realMs), firstSeed, hours, violations: this.violations, profiles };
  }
}

function minutes(ms: number): string {
  return `${Math.floor(ms / 60_000)}m${String(Math.floor(ms / 1_000) % 60).padStart(2, '0')}s`;
}
