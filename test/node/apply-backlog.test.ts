// A member that applies more slowly than the others write takes no more than it can hold.
import { expect, test } from 'vitest';
import { utf8Text } from '../../src/base/bytes.js';
import { sleep } from '../../src/base/sleep.js';
import { ApplyBacklog } from '../../src/node/apply-backlog.js';
import { nodeLimits } from '../../src/node/node-limits.js';
import type { Entry } from '../../src/raft/types.js';
import type { Transport } from '../../src/transport/index.js';
import { Cluster } from './cluster.js';
import { RecordingMachine } from './recording-machine.js';
import type { VirtualTime } from './virtual-time.js';

const mebibyte = 'x'.repeat(1 << 20);
const bytesMax = nodeLimits.backlogBytesMax / (1 << 20);

/** One of three applies nothing. */
async function withSlow() {
  const cluster = await Cluster.led();
  const leader = cluster.node(1).status.leaderId as number;
  const [slow, quick] = cluster.followers(leader);
  cluster.member(slow).machine.hold();
  const unapplied = () => {
    const { raft, appliedIndex } = cluster.node(slow).status;
    return raft.durableIndex - appliedIndex;
  };
  const put = (nth: number) => cluster.propose(leader, `${nth}${mebibyte}`, 60_000);
  return { cluster, leader, slow, quick, unapplied, put };
}

test('a follower whose state machine is slow -> takes a bounded part of what is written, and all of it later', async () => {
  const { cluster, slow, unapplied, put } = await withSlow();
  const count = 2 * bytesMax;
  for (let nth = 0; nth < count; nth += 1) await cluster.time.settle(put(nth));
  expect(unapplied()).toBeGreaterThan(bytesMax / 2);
  expect(unapplied()).toBeLessThan(bytesMax + 16);
  cluster.member(slow).machine.release();
  await cluster.caughtUp(count);
  await cluster.close();
});

test('the slow one is needed for the quorum -> writes wait for it, and none is lost', async () => {
  const { cluster, slow, quick, unapplied, put } = await withSlow();
  cluster.isolate(quick);
  const count = 2 * bytesMax;
  const writes = Array.from({ length: count }, (_, nth) => put(nth).catch(() => 'refused'));
  await cluster.time.run(20_000);
  expect(unapplied()).toBeLessThan(2 * bytesMax);
  cluster.member(slow).machine.release();
  const done = (await cluster.time.settle(Promise.all(writes))).filter((it) => it !== 'refused');
  cluster.heal();
  await cluster.caughtUp(done.length);
  expect(done.length).toBeGreaterThan(bytesMax / 2);
  await cluster.close();
});

test.each([
  // Applied, committed, last; bytes of each entry.
  { applied: 0, commit: 0, last: 1_000, each: 1 << 20, isFull: false },
  { applied: 0, commit: bytesMax, last: 1_000, each: 1 << 20, isFull: false },
  { applied: 0, commit: bytesMax + 1, last: 1_000, each: 1 << 20, isFull: true },
  { applied: 500, commit: 500 + bytesMax + 1, last: 1_000, each: 1 << 20, isFull: true },
  { applied: 0, commit: nodeLimits.backlogEntriesMax, last: 10 ** 7, each: 1, isFull: false },
  { applied: 0, commit: nodeLimits.backlogEntriesMax + 1, last: 10 ** 7, each: 1, isFull: true },
])('$applied applied, $commit committed of $last, $each bytes each -> $isFull', (at) => {
  const log = {
    bytesAbove: (index: number) => (at.last - index) * at.each,
    lastIndex: () => at.last,
  };
  const raft = { status: () => ({ commit: at.commit }) as never };
  const backlog = new ApplyBacklog({ raft, log, appliedIndex: () => at.applied });
  expect(backlog.isFull(at.commit)).toBe(at.isFull);
});

test('full -> until half of it is applied, unless nothing is committed without it', () => {
  let applied = 0;
  const last = bytesMax + 1;
  const log = { bytesAbove: (index: number) => (last - index) * (1 << 20), lastIndex: () => last };
  const raft = { status: () => ({ commit: last }) as never };
  const backlog = new ApplyBacklog({ raft, log, appliedIndex: () => applied });
  const [needed, spare] = [last, last + 1];
  expect(backlog.isFull(spare)).toBe(true);
  applied = bytesMax / 2;
  expect(backlog.isFull(spare)).toBe(true);
  applied += 1;
  expect(backlog.isFull(spare)).toBe(false);
  applied = 0;
  expect(backlog.isFull(needed)).toBe(true);
  applied = 1;
  expect(backlog.isFull(needed)).toBe(false);
});

const bytesOf = (entries: readonly Entry[]) =>
  entries.reduce((sum, { data }) => sum + data.length, 0);

/** Applies 5 MiB/s, once it is told to be slow, and remembers no text. */
class SlowMachine extends RecordingMachine {
  isSlow = false;
  readonly #time: VirtualTime;

  constructor(time: VirtualTime) {
    super();
    this.#time = time;
  }

  override async apply(entries: readonly Entry[]) {
    const ms = (bytesOf(entries) / (5 * (1 << 20))) * 1_000;
    if (this.isSlow && ms > 0) await sleep(this.#time, ms);
    return entries.map(({ data, index }) => {
      this.durableIndex = index;
      if (data.length === 0) return { value: undefined };
      const [session, seq] = utf8Text(data.subarray(0, 60)).split(' ').map(Number);
      return { requestId: { session: session as number, seq: seq as number }, value: 1 };
    });
  }
}

test('a follower that applies a sixth of what is written -> it is sent no more than twice that', async () => {
  const cluster = new Cluster();
  const sent = new Map<number, number>();
  const around = (transport: Transport): Transport => {
    const send = transport.send.bind(transport);
    transport.send = (message) => {
      const { kind, to } = message;
      if (kind === 'append-request') {
        sent.set(to, (sent.get(to) ?? 0) + bytesOf(message.entries));
      }
      send(message);
    };
    return transport;
  };
  for (const id of cluster.ids) {
    await cluster.open(id, { machine: new SlowMachine(cluster.time), around });
  }
  const leader = await cluster.elect();
  const [slow, quick] = cluster.followers(leader);
  (cluster.member(slow).machine as SlowMachine).isSlow = true;
  const text = 'x'.repeat(1 << 18);
  // 31 MiB/s for 15 seconds.
  for (let nth = 0; nth < 1_875; nth += 1) {
    void cluster.propose(leader, text, 60_000);
    await cluster.time.run(8);
  }
  expect((sent.get(slow) as number) / (sent.get(quick) as number)).toBeLessThan(2);
  await cluster.close();
}, 60_000);
