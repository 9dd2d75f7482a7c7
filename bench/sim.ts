/**
 * P12: how fast the simulators are. Runs of 60 virtual seconds with about 100 proposals, or calls, a
 * second, seed after seed, on one core; virtual time over processor time. Clients of stores wait while
 * a fault keeps them from being served, so that without faults there are more calls.
 *
 * Run: `npx tsx bench/sim.ts`, or by name through `bench/main.ts`. For a profile:
 * `node --cpu-prof --import tsx bench/sim.ts`.
 */
import { fileURLToPath } from 'node:url';
import {
  drawScenario,
  type Scenario,
  type SimulateCoresOptions,
  simulate,
  simulateCores,
} from '../src/testing/index.js';
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

const clients = { clients: 6, pauseMs: 40, keys: 40, tickMs: 100 } as const;

/** Scenarios of whole stores, by seed. Each draws some of the faults. */
const stacks: Readonly<Record<string, (seed: number) => Scenario>> = {
  'standard: 3 members, faults, all checks': (seed) => {
    return { ...drawScenario(seed, { members: 3, durationMs: 60_000 }), ...clients };
  },
  '3 members, no faults': (seed) => {
    return { ...drawScenario(seed, { members: 3, durationMs: 60_000 }), ...clients, faults: [] };
  },
  'swarm: as the tests run it': (seed) => drawScenario(seed),
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

async function measureStack(
  scenarioOf: (seed: number) => Scenario,
  seconds: number,
): Promise<Omit<Rate, 'eventsPerSecond'> & { readonly callsPerSecond: number }> {
  await simulate({ scenario: { ...scenarioOf(1), durationMs: 5_000, faults: [] } });
  const start = cpuSeconds();
  let calls = 0;
  let simulatedMs = 0;
  let violations = 0;
  for (let seed = 2; cpuSeconds() - start < seconds; seed += 1) {
    const report = await simulate({ scenario: scenarioOf(seed) });
    calls += report.figures.calls ?? 0;
    simulatedMs += report.simulatedMs;
    violations += report.violation === undefined ? 0 : 1;
  }
  const elapsed = cpuSeconds() - start;
  const virtualSeconds = simulatedMs / 1_000;
  return {
    callsPerSecond: calls / virtualSeconds,
    timesRealTime: virtualSeconds / elapsed,
    violations,
  };
}

export const run: Benchmark = async (options) => {
  runBare(options);
  await runStacks(options);
};

const runBare = ({ seconds, record }: Parameters<Benchmark>[0]): void => {
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

const runStacks = async ({ seconds, record }: Parameters<Benchmark>[0]): Promise<void> => {
  const rows: string[][] = [];
  for (const [name, scenarioOf] of Object.entries(stacks)) {
    const { callsPerSecond, timesRealTime, violations } = await measureStack(scenarioOf, seconds);
    rows.push([name, callsPerSecond.toFixed(0), timesRealTime.toFixed(1), `${violations}`]);
    const figure = { measure: `stores, ${name}`, subject: 'kontiki/testing' };
    record({ ...figure, value: timesRealTime, unit: 'x real time' });
  }
  console.log(formatTable(['stores', 'calls/virtual s', 'x real time', 'violations'], rows));
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run({ seconds: 5, folder: '', record: () => {} });
}
