/** Sequences of calls and faults, which fast-check draws and makes smaller. */
import fc from 'fast-check';
import type { Store } from '../../store/store.js';
import {
  type KeyspaceInput,
  type KeyspaceOutput,
  keyspaceModel,
} from '../checkers/keyspace-model.js';
import { modelOf } from '../checkers/model.js';
import { type Observed, WholeAnswer } from '../checkers/observed.js';
import type { SimCluster, SimService } from '../cluster/sim-cluster.js';
import type { MachineService } from '../machine/machine-service.js';
import { describedModel, type MachineModel } from '../machine/machine-spec.js';
import { ClusterCommand, checkStanding } from './cluster-command.js';
import { CommandHistory } from './command-history.js';
import { faultCommands, heal } from './fault-commands.js';
import { storeCommands } from './store-commands.js';

/** Commands in an order, and the model that they are held against. @since 0.1.0 */
export interface ClusterCommands<S extends SimService> {
  /**
   * Starts the cluster, carries the commands out one after the other, heals it and waits until all
   * members are equal.
   *
   * @param cluster - none of its members runs
   * @throws {InvariantViolation} when an answer is wrong; {KontikiError} TIMEOUT, when the cluster
   *   does not get on
   */
  run(cluster: SimCluster<S>): Promise<void>;
  /** The commands, as a counterexample shows them. */
  toString(): string;
}

/** @since 0.1.0 */
export interface FcCommandsOptions {
  /** Default 40. */
  readonly maxCommands?: number | undefined;
}

/**
 * An arbitrary of sequences for a cluster of stores: Put, Get, Delete, Txn, Lease, Watch, and Crash,
 * Partition, Heal, Advance.
 *
 * @param options - see {@link FcCommandsOptions}
 * @since 0.1.0
 * @example
 * const property = fc.asyncProperty(fcCommands(), fc.nat(), (commands, seed) =>
 *   commands.run(storeCluster({ seed })),
 * );
 * await fc.assert(property, { numRuns: 20 });
 */
export function fcCommands(options: FcCommandsOptions = {}): fc.Arbitrary<ClusterCommands<Store>> {
  const newHistory = () => new CommandHistory(keyspaceModel());
  return sequences<Store, KeyspaceInput, KeyspaceOutput>(storeCommands(), newHistory, options);
}

/**
 * The same for a cluster that replicates a state machine of one's own: Propose, and the faults.
 *
 * @param input - what a client may ask
 * @param model - what the answers must be
 * @param options - see {@link FcCommandsOptions}
 * @since 0.1.0
 */
export function fcMachineCommands<State, Input, Answer>(
  input: fc.Arbitrary<Input>,
  model: MachineModel<State, Input, Answer>,
  options: FcCommandsOptions = {},
): fc.Arbitrary<ClusterCommands<MachineService<Input, Answer>>> {
  type Service = MachineService<Input, Answer>;
  const described = describedModel(model);
  const fcPropose = fc.tuple(fc.nat({ max: 6 }), input).map(([member, asked]) => {
    const text = `Propose(${fc.stringify(asked)}) by ${member}`;
    return new ClusterCommand<Service, Input, Observed<Answer>>(text, async (history, cluster) => {
      if (cluster.running.length === 0) return;
      const run = async (service: Service) =>
        new WholeAnswer(await service.propose(asked)) as unknown as Observed<Answer>;
      await history.call(cluster, member, { input: asked, run });
    });
  });
  const newHistory = () => new CommandHistory<Input, Observed<Answer>>(modelOf(described));
  return sequences([fcPropose, fcPropose, fcPropose], newHistory, options);
}

function sequences<S extends SimService, Input, Output>(
  calls: readonly fc.Arbitrary<ClusterCommand<S, Input, Output>>[],
  newHistory: () => CommandHistory<Input, Output>,
  { maxCommands = 40 }: FcCommandsOptions,
): fc.Arbitrary<ClusterCommands<S>> {
  const all = [...calls, ...faultCommands<S, Input, Output>()];
  return fc.commands(all, { maxCommands }).map((commands) => ({
    run: async (cluster) => {
      await cluster.startAll();
      await fc.asyncModelRun(() => ({ model: newHistory(), real: cluster }), commands);
      try {
        await heal(cluster);
        await cluster.sim.runUntil(() => cluster.isSettled(), 30_000);
      } finally {
        checkStanding(cluster);
      }
    },
    toString: () => commands.toString(),
  }));
}
