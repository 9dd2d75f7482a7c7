// Goal: a lease whose grant nobody answered may begin, and end, all the same.
import { expect, test } from 'vitest';
import { keyspaceModel } from '../../../src/testing/checkers/keyspace-model.js';
import { CommandHistory } from '../../../src/testing/fast-check/command-history.js';
import { heal } from '../../../src/testing/fast-check/fault-commands.js';
import {
  getCommand,
  leaseCommand,
  putCommand,
} from '../../../src/testing/fast-check/store-commands.js';
import { storeCluster } from '../../../src/testing/index.js';

test('a grant without an answer takes effect later, its lease runs out -> explained', async () => {
  let ended = 0;
  for (let seed = 1; seed <= 12 && ended === 0; seed += 1) {
    const cluster = storeCluster({ seed });
    await heal(cluster);
    const history = new CommandHistory(keyspaceModel());
    const at = () => cluster.running.indexOf(cluster.leader() as string);
    // The session of the member is open from then on.
    await putCommand({ member: at(), key: 'k1', value: 1, lease: undefined }).run(history, cluster);
    for (const name of cluster.names) if (name !== cluster.leader()) cluster.crash(name, 'process');
    await leaseCommand(0, 1n).run(history, cluster);
    await heal(cluster);
    await putCommand({ member: at(), key: 'k0', value: 1, lease: 1n }).run(history, cluster);
    const isHeld =
      (await cluster.sim.complete(cluster.service(cluster.leader() as string).get('k0'), 5_000)) !==
      undefined;
    await cluster.sim.run(20_000);
    await getCommand(at(), 'k0').run(history, cluster);
    if (isHeld) ended += 1;
  }
  expect(ended).toBe(1);
});
