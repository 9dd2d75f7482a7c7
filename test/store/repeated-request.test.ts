// A request that comes again is answered from what its session kept. It has no effect the second time: not
// on the keyspace, and not on those whom the state machine tells of effects.
import { expect, test } from 'vitest';
import { encodeCommand } from '../../src/codec/command-codec.js';
import type { Command, LeaseResult } from '../../src/mvcc/index.js';
import type { ApplyResult } from '../../src/node/index.js';
import { MemoryEngine, WriteBehindBackend } from '../../src/storage/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { VirtualTime } from '../node/virtual-time.js';

const session = 1;

class World {
  readonly time = new VirtualTime();
  machine!: StoreStateMachine;
  readonly told: LeaseResult[] = [];
  #index = 0;

  static async opened(): Promise<World> {
    const world = new World();
    const backend = await WriteBehindBackend.open({
      engine: new MemoryEngine(),
      timers: world.time,
    });
    world.machine = new StoreStateMachine(backend);
    await world.machine.open();
    world.machine.whenLease((result) => world.told.push(result));
    // Its index is the session's id.
    await world.apply(1, { op: 'session-open' }, 2 ** 52);
    return world;
  }

  /** An entry with a request; all of them stay open for whoever made them. */
  async apply(seq: number, command: Command, from = session): Promise<ApplyResult['value']> {
    this.#index += 1;
    const data = encodeCommand({ session: from, seq, doneBelow: 1, command });
    const entry = { term: 1, index: this.#index, type: 'normal', data } as const;
    const [result] = await this.machine.apply([entry]);
    return result?.value;
  }
}

test('read leases set, then taken back, then the first request again -> they stay off', async () => {
  const world = await World.opened();
  const { machine } = world;
  await world.apply(1, { op: 'read-lease', leaseMs: 900 });
  await world.apply(2, { op: 'read-lease', leaseMs: 0 });
  await world.apply(1, { op: 'read-lease', leaseMs: 900 });
  await machine.flush();
  expect(machine.keyspace.readLease.leaseMs).toBe(0);
  expect(machine.durableReadLease.leaseMs).toBe(0);
});

test('a lease granted and revoked, then either request again -> nobody is told a second time', async () => {
  const world = await World.opened();
  const granted = await world.apply(1, { op: 'lease-grant', id: 7n, ttlSeconds: 60 });
  await world.apply(2, { op: 'lease-revoke', id: 7n });
  expect(await world.apply(1, { op: 'lease-grant', id: 7n, ttlSeconds: 60 })).toEqual(granted);
  await world.apply(2, { op: 'lease-revoke', id: 7n });
  expect(world.told.map(({ op }) => op)).toEqual(['lease-grant', 'lease-revoke']);
});
