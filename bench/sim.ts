/**
 * P12: how fast the bare simulator is. Runs of 60 virtual seconds at 100 proposals a second, seed
 * after seed, on one core; virtual time over processor time.
 *
 * Run: `npx tsx bench/sim.ts`, or by name through `bench/main.ts`. For a profile:
 * `node --cpu-prof --import tsx bench/sim.ts`.
 */
import { fileURLToPath } from 'node:url';
import { type SimulateCoresOptions, simulateCores } from '../src/testing/index.js';
import type { Benchmark } from './benchmark.js';
import { formatTable } from './table.js';

type Case = Omit<SimulateCoresOptions, 'seed'>;

const standard: Case = { members: 3, spares: 0, faults: 'all', durationMs: 60_000 };

const cases: Readonly<Record<string, Case>> = {
  'standard: 3 members, all faults': standard,
  'the same, rules off': { ...standard, checks: [] },
  '3 members, no faults': { ...standard, faults: 'none' },
  '5 members and 2 spares, all faults': { ...standard, members: 5, spares: 2 },
  'swarm: as the tests run it': { durationMs: 60_000 },
};

interface Rate {
  readonly eventsPerSecond: number;
  readonly timesRealTime: number;
  readonly violations: number;
}

/** Processor seconds, not those of the wall: others may use the machine. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function measure(options: Case, seconds: number): Rate {
  simulateCores({ ...options, seed: 1 });
  const start = cpuSeconds();
  let events = 0;
  let simulatedMs = 0;
  let violations = 0;
  for (let seed = 2; cpuSeconds() - start < seconds; seed += 1) {
    const report = simulateCores({ ...options, seed });
    events += report.events;
    simulatedMs += report.simulatedMs;
    violations += report.violations.length;
  }
  const elapsed = cpuSeconds() - start;
  const timesRealTime = simulatedMs / 1_000 / elapsed;
  return { eventsPerSecond: events / elapsed, timesRealTime, violations };
}

export const run: Benchmark = async ({ seconds, record }) => {
  const rows: string[][] = [];
  for (const [name, options] of Object.entries(cases)) {
    const { eventsPerSecond, timesRealTime, violations } = measure(options, seconds);
    rows.push([name, eventsPerSecond.toFixed(0), timesRealTime.toFixed(0), `${violations}`]);
    const figure = { measure: name, subject: 'kontiki/testing' };
    record({ ...figure, value: timesRealTime, unit: 'x real time' });
    record({ ...figure, value: eventsPerSecond, unit: 'events/s' });
  }
  console.log(formatTable(['bare cores', 'events/s', 'x real time', 'violations'], rows));
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run({ seconds: 5, folder: '', record: () => {} });
}
