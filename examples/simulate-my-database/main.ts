/**
 * Looks for a run in which the table of seats goes wrong, and prints the smallest one it finds as a
 * test. `npm run example:simulate`, or `npx tsx examples/simulate-my-database/main.ts`.
 */
import { fileURLToPath } from 'node:url';
import { type PlainMachineSpec, type SimulationRun, simulate } from '../../src/testing/index.js';
import { machine } from './machine.js';

/**
 * @param spec - what to try
 * @param seeds - how many runs at most
 * @param print - takes each line
 * @returns the smallest failing run; `undefined` when all held
 */
export async function findBug<State, Input, Answer>(
  spec: PlainMachineSpec<State, Input, Answer>,
  seeds: number,
  print: (line: string) => void,
): Promise<SimulationRun | undefined> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const run = await simulate({ seed, machine: spec, duration: '10s', pause: '100ms' });
    const { calls } = run.figures;
    const faults = run.scenario.faults.length;
    if (run.violation === undefined) {
      print(`seed ${seed}: ${calls} calls, ${faults} faults, all answers right`);
      continue;
    }
    print(`seed ${seed}: ${run.violation.id} ${run.violation.message}`);
    print(`making it smaller: ${run.scenario.durationMs} ms, ${faults} faults, ${calls} calls ...`);
    const smallest = await run.shrink({ runsMax: 40 });
    print(`${smallest.scenario.durationMs} ms, ${smallest.scenario.faults.length} faults:\n`);
    print(smallest.source());
    return smallest;
  }
  print(`${seeds} seeds: nothing found`);
  return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await findBug(machine, 50, (line) => console.log(line));
}
