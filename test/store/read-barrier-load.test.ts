// Read barriers over the reads of a node that knows no leader, or whose state machine stands still, on
// virtual time: what waits must not grow with the reads that gave up.
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { Prng } from '../../src/base/prng.js';
import { Reads } from '../../src/node/reads.js';
import { ReadBarrier } from '../../src/store/read-barrier.js';
import { VirtualTime } from '../node/virtual-time.js';

const tickMs = 100;
/** After which a node gives up a read that was not answered. */
const readTimeoutMs = 5_000;

class World {
  readonly time = new VirtualTime();
  readonly reads = new Reads(new Prng(1));
  /** What a leader does with a read; without one it waits. */
  leader: ((id: number) => void) | undefined;
  passes = 0;
  pendingMax = 0;
  settled = 0;
  timedOut = 0;
  readonly barrier = new ReadBarrier(this.time, () => {
    this.passes += 1;
    const read = this.reads.open(this.time.monotonicMs());
    this.pendingMax = Math.max(this.pendingMax, this.reads.pending);
    return read;
  });

  constructor() {
    const tick = () => {
      this.reads.sweep(this.time.monotonicMs() - readTimeoutMs);
      this.time.after(tickMs, tick);
    };
    this.time.after(tickMs, tick);
  }

  /** One read in each millisecond, each in a turn of its own. */
  async readFor(ms: number, timeoutMs = 7_000): Promise<void> {
    for (let nth = 0; nth < ms; nth += 1) {
      this.barrier.wait({ timeoutMs }).then(
        () => {
          this.settled += 1;
        },
        () => {
          this.timedOut += 1;
        },
      );
      await this.time.run(1);
      if (this.leader !== undefined && this.reads.hasQueued) {
        this.leader(this.reads.take(this.time.monotonicMs()));
      }
    }
  }
}

describe('read barrier under load', () => {
  test('no leader, a thousand reads a second -> neither waiting reads nor passes pile up', async () => {
    const world = new World();
    await world.readFor(20_000);
    expect(world.pendingMax).toBeLessThanOrEqual(limits.readPassesMax + 20);
    // Each of those that may be under way, after its time was over, and one beside them each second.
    expect(world.passes).toBeLessThanOrEqual(4 * limits.readPassesMax + 20);
    expect([world.settled, world.timedOut]).toEqual([0, 13_001]);
    world.leader = (readId) => world.reads.confirmed({ readId, index: 7 }, 7);
    await world.readFor(3);
    expect(world.settled + world.timedOut).toBeGreaterThan(20_000);
    expect(world.reads.pending).toBe(0);
  });

  test('indexes that are not applied for long -> what waits for them is bounded, and settled then', async () => {
    const world = new World();
    world.leader = (readId) => world.reads.confirmed({ readId, index: 7 }, 3);
    await world.readFor(20_000);
    expect(world.pendingMax).toBeLessThanOrEqual(2 * limits.readPassesMax);
    expect([world.settled, world.timedOut]).toEqual([0, 13_001]);
    world.leader = (readId) => world.reads.confirmed({ readId, index: 7 }, 7);
    world.reads.applied(7);
    await world.readFor(3);
    expect(world.settled).toBeGreaterThan(6_000);
  });

  test('a member that lags by longer than a read is given -> served by the first index that it was told', async () => {
    const world = new World();
    let index = 0;
    // Whatever was committed six seconds ago is applied now.
    world.leader = (readId) => {
      index += 1;
      const at = index;
      world.reads.confirmed({ readId, index: at }, 0);
      world.time.after(6_000, () => world.reads.applied(at));
    };
    await world.readFor(20_000, 60_000);
    expect(world.timedOut).toBe(0);
    expect(world.settled).toBeGreaterThan(12_000);
  });

  test('every pass of half a second is lost -> reads go on with the next one that is not', async () => {
    const world = new World();
    world.leader = () => {};
    await world.readFor(500);
    world.leader = (readId) => world.reads.confirmed({ readId, index: 7 }, 7);
    await world.readFor(1_100);
    expect(world.settled).toBeGreaterThan(1_500);
    await world.readFor(100);
    expect(world.settled).toBeGreaterThan(1_650);
    expect(world.timedOut).toBe(0);
  });
});
