/** What goes wrong between the calls of a client: commands for any cluster. */
import fc from 'fast-check';
import type { SimCluster, SimService } from '../cluster/sim-cluster.js';
import { ClusterCommand } from './cluster-command.js';

/** Virtual milliseconds within which a healed cluster has a leader again. */
const healedWithinMs = 30_000;

/** @since 0.1.0 */
export function faultCommands<S extends SimService, Input, Output>(): fc.Arbitrary<
  ClusterCommand<S, Input, Output>
>[] {
  const command = (text: string, run: (cluster: SimCluster<S>) => Promise<unknown>) =>
    new ClusterCommand<S, Input, Output>(text, (_, cluster) => run(cluster));
  const fcMember = fc.nat({ max: 6 });
  const fcCrash = fc.tuple(fcMember, fc.constantFrom('process', 'power'));
  return [
    fcCrash.map(([at, kind]) =>
      command(`Crash(${at}, ${kind})`, async (cluster) => {
        cluster.crash(memberAt(cluster, at), kind);
      }),
    ),
    fcMember.map((at) =>
      command(`Partition(${at})`, async (cluster) => {
        const name = memberAt(cluster, at);
        for (const other of cluster.names.filter((each) => each !== name)) {
          cluster.sim.network.block({ from: name, to: other });
          cluster.sim.network.block({ from: other, to: name });
        }
      }),
    ),
    fc.constant(command('Heal', heal)),
    fc
      .constantFrom(100, 1_000, 10_000)
      .map((ms) => command(`Advance(${ms})`, (cluster) => cluster.sim.run(ms))),
  ];
}

/**
 * Reconnects everyone, starts who is down, and runs until somebody leads.
 *
 * @throws {KontikiError} TIMEOUT, when nobody does; and what a member refuses to start with
 * @since 0.1.0
 */
export async function heal<S extends SimService>(cluster: SimCluster<S>): Promise<void> {
  cluster.sim.network.heal();
  await cluster.startAll(healedWithinMs);
  await cluster.sim.runUntil(() => cluster.leader() !== undefined, healedWithinMs);
}

function memberAt<S extends SimService>({ names }: SimCluster<S>, at: number): string {
  return names[at % names.length] as string;
}
