/**
 * A whole run from one seed: the entry for those who want to know whether their code holds.
 */
import { machineCluster } from '../cluster/machine-cluster.js';
import { storeCluster } from '../cluster/store-cluster.js';
import type { MachineSpec } from '../machine/machine-spec.js';
import { MachineWorkload } from '../machine/machine-workload.js';
import { LockWorkload } from '../workload/lock-workload.js';
import { StoreWorkload } from '../workload/store-workload.js';
import type { Scenario } from './scenario.js';
import { type SimulateOptions, scenarioOf } from './simulate-options.js';
import { Simulation, type SimulationReport } from './simulation.js';
import { SimulationRun } from './simulation-run.js';

/**
 * Runs a group under load and faults, on one thread and in virtual time, then heals it and checks what
 * clients were told against what should have happened. The code is that of production, down to the
 * calls of files, clock and network, which are simulated. Equal options, and equal code, give equal runs.
 *
 * @param options - see {@link SimulateOptions}; anything unknown is refused
 * @returns what came of it; it never rejects for what the code under test does
 * @throws {KontikiError} OPTIONS_INVALID
 * @since 0.1.0
 * @example (await simulate({ seed: 42, duration: '1m' })).assert();
 */
export async function simulate<State, Input, Answer>(
  options: SimulateOptions<State, Input, Answer>,
): Promise<SimulationRun> {
  const scenario = scenarioOf(options as SimulateOptions);
  const { machine } = options;
  const run = (each: Scenario) =>
    machine === undefined ? simulateStore(each) : simulateMachine(each, machine);
  return new SimulationRun(await run(scenario), { run, hasMachine: machine !== undefined });
}

/**
 * Runs a scenario on stores.
 *
 * @param scenario - what is to happen; `drawScenario` draws one from a seed
 * @returns what came of it; it never rejects for what the code under test does
 * @since 0.1.0
 * @example const { violation } = await simulateStore(drawScenario(42));
 */
export async function simulateStore(scenario: Scenario): Promise<SimulationReport> {
  const cluster = storeCluster(clusterOptions(scenario));
  const workload = scenario.load === 'locks' ? new LockWorkload() : new StoreWorkload();
  return new Simulation(scenario, cluster, workload).run();
}

async function simulateMachine<State, Input, Answer>(
  scenario: Scenario,
  machine: MachineSpec<State, Input, Answer>,
): Promise<SimulationReport> {
  const cluster = machineCluster({ ...clusterOptions(scenario), machine });
  return new Simulation(scenario, cluster, new MachineWorkload(machine)).run();
}

function clusterOptions({ seed, members, path, tuning, tickMs }: Scenario) {
  return { seed, members, tuning, network: { path }, store: { tickMs } };
}
