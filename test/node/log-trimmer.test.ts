// What the log is let go of, and what holds it back: a follower that was just active, a snapshot under way.
import { describe, expect, test } from 'vitest';
import { LogTrimmer } from '../../src/node/log-trimmer.js';
import type { RawNode } from '../../src/raft/raw-node.js';
import { MemoryLogStore } from '../../src/storage/index.js';
import { RecordingMachine } from './recording-machine.js';

interface Follower {
  id: number;
  match: number;
  pendingSnapshot: number;
  recentActive: boolean;
}

class World {
  readonly log = new MemoryLogStore({ voters: [1, 2] });
  readonly machine = new RecordingMachine();
  role = 'leader';
  progress: Follower[] = [];
  pinned = Infinity;
  /** As the core knows. */
  applied = 100;
  readonly trimmer: LogTrimmer;

  constructor() {
    const self = this;
    const raft = {
      get role() {
        return self.role;
      },
      status: () => ({ progress: self.progress, applied: self.applied }),
    };
    this.trimmer = new LogTrimmer({
      log: this.log,
      machine: this.machine,
      raft: raft as unknown as RawNode,
      limits: { entriesMin: 10, bytesMin: 0, bytesMax: 1e9 },
      pinnedIndex: () => this.pinned,
    });
  }

  static async filled(): Promise<World> {
    const world = new World();
    const entries = Array.from({ length: 100 }, (_, nth) => {
      return { term: 1, index: nth + 1, type: 'normal' as const, data: new Uint8Array(8) };
    });
    const hardState = { term: 1, vote: 1, commit: 100 };
    await world.log.append({ entries, hardState, mustSync: true });
    world.machine.durableIndex = 80;
    return world;
  }

  /** First entry of the log after a while. */
  async first(nowMs: number): Promise<number> {
    this.trimmer.tick(nowMs);
    await this.trimmer.idle();
    await Promise.resolve();
    return this.log.firstIndex();
  }
}

describe('the log', () => {
  test('nobody is behind -> up to the durable index, and never the newest entries', async () => {
    const world = await World.filled();
    expect(await world.first(0)).toBe(81);
    world.machine.durableIndex = 100;
    expect(await world.first(500)).toBe(81);
    expect(await world.first(1_000)).toBe(91);
  });

  test('a page that is durable in part, not applied as a whole -> kept from its first entry on', async () => {
    const world = await World.filled();
    world.applied = 50;
    expect(await world.first(0)).toBe(51);
    world.applied = 100;
    expect(await world.first(1_000)).toBe(81);
  });

  test('a follower that is behind -> kept for it, until it was silent for a minute', async () => {
    const world = await World.filled();
    world.progress = [{ id: 2, match: 30, pendingSnapshot: 0, recentActive: true }];
    expect(await world.first(0)).toBe(31);
    world.progress = [{ id: 2, match: 30, pendingSnapshot: 0, recentActive: false }];
    expect(await world.first(59_000)).toBe(31);
    expect(await world.first(60_000)).toBe(81);
  });

  test('a follower that gets a snapshot -> kept behind the snapshot', async () => {
    const world = await World.filled();
    world.progress = [{ id: 2, match: 3, pendingSnapshot: 60, recentActive: true }];
    expect(await world.first(0)).toBe(61);
  });

  test('a snapshot being made -> kept behind it, on a follower too', async () => {
    const world = await World.filled();
    world.pinned = 40;
    expect(await world.first(0)).toBe(41);
    world.role = 'follower';
    world.pinned = 50;
    expect(await world.first(1_000)).toBe(51);
  });
});
