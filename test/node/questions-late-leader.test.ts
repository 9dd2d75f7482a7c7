// A leader that is seconds behind with applying answers questions about the membership late, but it answers.
import { expect, test } from 'vitest';
import { sleep } from '../../src/base/sleep.js';
import type { Entry } from '../../src/raft/types.js';
import { Cluster } from './cluster.js';
import { RecordingMachine } from './recording-machine.js';
import type { VirtualTime } from './virtual-time.js';

/** Each of its batches takes 100 ms for each entry. */
class SlowMachine extends RecordingMachine {
  isSlow = false;
  readonly #time: VirtualTime;

  constructor(time: VirtualTime) {
    super();
    this.#time = time;
  }

  override async apply(entries: readonly Entry[]) {
    const count = entries.filter(({ data }) => data.length > 0).length;
    if (this.isSlow && count > 0) await sleep(this.#time, count * 250);
    return super.apply(entries);
  }
}

test('the leader applies 3 s late, all the time -> a follower that asks for a change hears of it', async () => {
  const cluster = new Cluster();
  for (const id of cluster.ids) await cluster.open(id, { machine: new SlowMachine(cluster.time) });
  const leader = await cluster.elect();
  const [follower, third] = cluster.followers(leader);
  const term = cluster.node(leader).status.raft.term;
  (cluster.member(leader).machine as SlowMachine).isSlow = true;
  let isOver = false;
  const text = 'x'.repeat(1 << 20);
  const load = (async () => {
    for (let nth = 0; !isOver; nth += 1) {
      void cluster.propose(leader, `${nth}${text}`, 60_000);
      await sleep(cluster.time, nth < 14 ? 1 : 250);
    }
  })();
  await cluster.time.run(2_000);
  const { members } = cluster.node(follower);
  let outcome: unknown;
  const added = members.remove(third, { timeoutMs: 30_000 }).then(
    () => (outcome = 'removed'),
    (error) => (outcome = error),
  );
  await cluster.time.settle(added, 40_000);
  isOver = true;
  await cluster.time.settle(load);
  const { raft, appliedIndex } = cluster.node(leader).status;
  expect({
    outcome: String(outcome),
    ids: members.list().map(({ id }) => id),
    lag: raft.durableIndex - appliedIndex,
    same: raft.term === term,
  }).toMatchObject({ outcome: 'removed', same: true });
  await cluster.close();
}, 60_000);
