// A follower that applies slowly, and without which there is no quorum, slows writes down: it does not stop them.
import { expect, test } from 'vitest';
import { utf8Text } from '../../src/base/bytes.js';
import { sleep } from '../../src/base/sleep.js';
import type { Entry } from '../../src/raft/types.js';
import { Cluster } from './cluster.js';
import { RecordingMachine } from './recording-machine.js';
import type { VirtualTime } from './virtual-time.js';

/** Applies 4 MiB/s, once it is told to be slow, and remembers no text. */
class SlowMachine extends RecordingMachine {
  isSlow = false;
  readonly #time: VirtualTime;

  constructor(time: VirtualTime) {
    super();
    this.#time = time;
  }

  override async apply(entries: readonly Entry[]) {
    const bytes = entries.reduce((sum, { data }) => sum + data.length, 0);
    if (this.isSlow && bytes > 1_000) await sleep(this.#time, (bytes / (4 * (1 << 20))) * 1_000);
    return entries.map(({ data, index }) => {
      this.durableIndex = index;
      if (data.length === 0) return { value: undefined };
      const [session, seq] = utf8Text(data.subarray(0, 60)).split(' ').map(Number);
      return { requestId: { session: session as number, seq: seq as number }, value: 1 };
    });
  }
}

test('one is down, the other applies 4 MiB/s -> four writers, one write at a time each, never wait for 7 s', async () => {
  const cluster = new Cluster();
  for (const id of cluster.ids) await cluster.open(id, { machine: new SlowMachine(cluster.time) });
  const leader = await cluster.elect();
  const [slow, down] = cluster.followers(leader);
  (cluster.member(slow).machine as SlowMachine).isSlow = true;
  cluster.isolate(down);
  const text = 'x'.repeat(1 << 18);
  const ends: Record<string, number> = {};
  let isOver = false;
  let longestMs = 0;
  const writer = async (): Promise<void> => {
    while (!isOver) {
      const atMs = cluster.time.monotonicMs();
      const end = await cluster.propose(leader, text, 7_000).then(
        () => 'done',
        (error) => `${error.code} ${error.outcome}`,
      );
      ends[end] = (ends[end] ?? 0) + 1;
      longestMs = Math.max(longestMs, cluster.time.monotonicMs() - atMs);
      await sleep(cluster.time, 25);
    }
  };
  const writers = Array.from({ length: 4 }, writer);
  await cluster.time.run(60_000);
  isOver = true;
  await cluster.time.settle(Promise.all(writers));
  expect(Object.keys(ends)).toEqual(['done']);
  cluster.heal();
  await cluster.close();
}, 60_000);
