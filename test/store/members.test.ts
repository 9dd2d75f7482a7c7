// The membership of stores on virtual machines: members come and go while writes go on.
import { afterEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/store.js';
import type { SimCluster } from '../../src/testing/cluster/sim-cluster.js';
import { storeCluster } from '../../src/testing/cluster/store-cluster.js';
import { parseAddress } from '../../src/transport/address.js';

const small = {
  segmentBytes: 65_536,
  retention: { entriesMin: 20, bytesMin: 1_000, bytesMax: 20_000 },
};

class World {
  readonly cluster: SimCluster<Store>;

  constructor(seed: number, members = 3) {
    this.cluster = storeCluster({ seed, members, store: { timeoutMs: 10_000 }, tuning: small });
  }

  static async led(seed: number, members = 3): Promise<World> {
    const world = new World(seed, members);
    await world.cluster.startAll();
    await world.until(() => world.cluster.leader() !== undefined);
    return world;
  }

  store(name: string): Store {
    return this.cluster.service(name);
  }

  get leader(): string {
    const name = this.cluster.leader();
    if (name === undefined) throw new Error('nobody leads');
    return name;
  }

  follower(...but: string[]): string {
    const name = this.cluster.running.find((each) => each !== this.leader && !but.includes(each));
    if (name === undefined) throw new Error('no follower');
    return name;
  }

  run<T>(promise: Promise<T>, maxMs = 30_000): Promise<T> {
    return this.cluster.sim.complete(promise, maxMs);
  }

  until(holds: () => boolean, maxMs = 30_000): Promise<void> {
    return this.cluster.sim.runUntil(holds, maxMs);
  }

  /** Adds a member through `via` and starts it. */
  async join(name: string, via: string, options = {}): Promise<Store> {
    await this.run(this.store(via).members.add(name, `${name}:1`, options));
    this.cluster.addMachine(name);
    return this.run(this.cluster.start(name));
  }

  /** As soon as the learner has caught up. */
  async replace(via: string, gone: string, learner: string): Promise<void> {
    for (;;) {
      try {
        return await this.run(this.store(via).members.replace(gone, learner));
      } catch (error) {
        // By a leader that hears of it for the first time; unknown, when the one before it was asked too.
        expect(error).toMatchObject({ code: 'LEARNER_NOT_READY' });
        await this.cluster.sim.run(50);
      }
    }
  }

  async roles(via: string): Promise<Record<string, string>> {
    const members = await this.run(this.store(via).members.list());
    return Object.fromEntries(members.map(({ name, role }) => [name, role]));
  }

  /** Waits until a member is a voter. */
  async promoted(name: string): Promise<void> {
    const isVoter = () => {
      const status = this.cluster.find(this.leader);
      return status?.status().peers.some((p) => p.name === name && !p.isLearner) ?? false;
    };
    await this.until(() => this.cluster.leader() !== undefined && isVoter());
  }
}

let world: World;
afterEach(() => {
  for (const name of world.cluster.running) world.cluster.crash(name);
});

describe('coming', () => {
  test('added, started, promoted by itself -> it votes, and has everything', async () => {
    world = await World.led(1);
    await world.run(world.store('n1').put('a', '1'));
    const joined = await world.join('n4', world.follower());
    await world.promoted('n4');
    expect(await world.roles('n4')).toEqual({ n1: 'voter', n2: 'voter', n3: 'voter', n4: 'voter' });
    expect((await world.run(joined.get('a')))?.text()).toBe('1');
    await world.run(joined.put('b', '2'));
    expect((await world.run(world.store('n2').get('b')))?.text()).toBe('2');
    expect([...world.store('n1').status().members].sort()).toEqual(['n1', 'n2', 'n3', 'n4']);
  });

  test('a store of one -> grows to three, and survives the first', async () => {
    world = await World.led(2, 1);
    await world.run(world.store('n1').put('a', '1'));
    await world.join('n2', 'n1');
    await world.promoted('n2');
    await world.join('n3', 'n2');
    await world.promoted('n3');
    world.cluster.crash('n1');
    expect((await world.run(world.store('n3').get('a')))?.text()).toBe('1');
  });

  test('a store of one, a second voter long before it starts -> goes on alone, then both', async () => {
    world = await World.led(6, 1);
    await world.run(world.store('n1').put('a', '1'));
    await world.run(world.store('n1').members.add('n2', 'n2:1', { voter: true }));
    // Longer than a leader leads without the second.
    await world.cluster.sim.run(5_000);
    await world.run(world.store('n1').put('b', '2'));
    world.cluster.addMachine('n2');
    const joined = await world.run(world.cluster.start('n2'));
    expect((await world.run(joined.get('a')))?.text()).toBe('1');
    await world.promoted('n2');
    expect((await world.run(joined.get('b')))?.text()).toBe('2');
  });

  test('the log is gone from its beginning -> by a snapshot, also after an earlier one', async () => {
    world = await World.led(3);
    const fill = async (from: number) => {
      for (let at = from; at < from + 300; at += 20) {
        const puts = Array.from({ length: 20 }, (_, n) =>
          world.store('n1').put(`k${at + n}`, 'v'.repeat(1_000)),
        );
        await world.run(Promise.all(puts));
      }
      await world.until(() => world.store(world.leader).status().firstIndex > from);
    };
    await fill(0);
    await world.join('n4', 'n1', { autoPromote: false });
    expect(await world.run(world.store('n4').get('k299'))).toBeDefined();
    // The snapshot that n4 got does not know n5.
    await world.join('n5', 'n1', { autoPromote: false });
    expect(await world.run(world.store('n5').get('k0'))).toBeDefined();
    expect(await world.roles('n5')).toMatchObject({ n1: 'voter', n4: 'learner', n5: 'learner' });
  });

  test('while a member is cut off -> it hears of the new one later, and they talk', async () => {
    world = await World.led(4);
    const away = world.follower();
    world.cluster.sim.network.isolate(away);
    const there = world.follower(away);
    await world.join('n4', there);
    await world.promoted('n4');
    world.cluster.sim.network.heal();
    await world.run(world.store(away).put('a', '1'));
    expect(await world.roles(away)).toMatchObject({ n4: 'voter' });
    await world.run(world.store('n4').transferLeadership(away));
    await world.until(() => world.cluster.leader() === away);
  });

  test('restarted in the middle, and again as a voter -> goes on', async () => {
    world = await World.led(5);
    await world.join('n4', 'n1');
    world.cluster.crash('n4');
    await world.run(world.cluster.start('n4'));
    await world.promoted('n4');
    world.cluster.crash('n4');
    await world.run(world.cluster.start('n4'));
    await world.run(world.store('n4').put('a', '1'));
    await world.until(() => world.cluster.isSettled());
  });

  test('its directory is wiped -> refused, before anything is written', async () => {
    world = await World.led(6);
    await world.join('n4', 'n1');
    await world.promoted('n4');
    world.cluster.crash('n4');
    world.cluster.machine('n4').wipe();
    const again = world.run(world.cluster.start('n4'));
    await expect(again).rejects.toMatchObject({ code: 'MEMBER_IDENTITY_CHANGED' });
  });

  test('not added, or of another group -> told so', async () => {
    world = await World.led(7);
    world.cluster.addMachine('n4');
    const stranger = world.run(world.cluster.start('n4'));
    await expect(stranger).rejects.toMatchObject({ code: 'MEMBER_UNKNOWN' });
  });
});

describe('going', () => {
  test.each([11, 12, 13])(
    'seed %i: the leader -> another leads, it stops, and never comes back',
    async (seed) => {
      world = await World.led(seed);
      // Who was just elected keeps leadership for a while.
      await world.cluster.sim.run(2_000);
      const gone = world.leader;
      const via = seed === 11 ? gone : world.follower();
      const failed = new Promise<string>((resolve) => {
        world.store(gone).on('failed', ({ error }) => resolve(error.code));
      });
      const start = world.cluster.sim.nowMs;
      await world.run(world.store(via).members.remove(gone));
      expect(await world.run(failed)).toBe('MEMBER_REMOVED');
      // Leadership moves before the removal: nobody waits for an election timeout.
      const left = world.cluster.names.filter((name) => name !== gone);
      const other = left[0] as string;
      await world.run(world.store(other).put('a', '1'));
      expect(world.cluster.sim.nowMs - start).toBeLessThan(1_000);
      expect(await world.roles(other)).toEqual(
        Object.fromEntries(left.map((name) => [name, 'voter'])),
      );
      world.cluster.crash(gone, 'process');
      // Whether it knows it by itself or has to be told.
      const again = world.run(
        world.cluster.start(gone).then((store) => {
          return new Promise((_, reject) => store.on('failed', ({ error }) => reject(error)));
        }),
      );
      await expect(again).rejects.toMatchObject({ code: 'MEMBER_REMOVED' });
    },
  );

  test('while it is down -> told when it comes back', async () => {
    world = await World.led(14);
    const gone = world.follower();
    world.cluster.crash(gone);
    await world.run(world.store(world.leader).members.remove(gone));
    const store = await world.run(world.cluster.start(gone));
    const failed = new Promise<string>((resolve) => {
      store.on('failed', ({ error }) => resolve(error.code));
    });
    expect(await world.run(failed)).toBe('MEMBER_REMOVED');
  });

  test('of two, either one -> the other goes on alone', async () => {
    for (const isLeader of [true, false]) {
      world = await World.led(15, 2);
      const gone = isLeader ? world.leader : world.follower();
      const stays = world.cluster.names.find((name) => name !== gone) as string;
      await world.run(world.store(stays).members.remove(gone));
      await world.run(world.store(stays).put('a', '1'));
      expect(await world.roles(stays)).toEqual({ [stays]: 'voter' });
    }
  });
});

describe('changing', () => {
  test('of two, the leader loses power as soon as the other is gone -> it goes on alone', async () => {
    world = await World.led(17, 2);
    await world.run(world.store('n1').put('a', '1'));
    const [left, gone] = [world.leader, world.follower()];
    const { disk } = world.cluster.machine(left);
    // What it hears of the other is on its disk long after the other has it.
    disk.slowByUs = 200_000;
    let code: string | undefined;
    world.store(gone).on('failed', ({ error }) => {
      code = error.code;
    });
    world
      .store(left)
      .members.remove(gone)
      .catch(() => undefined);
    await world.until(() => code !== undefined);
    expect(code).toBe('MEMBER_REMOVED');
    world.cluster.crash(left, 'power');
    disk.slowByUs = 0;
    const store = await world.run(world.cluster.start(left));
    await world.run(store.put('b', '2'));
    expect((await world.run(store.get('a')))?.text()).toBe('1');
  });

  test('of two, one removes itself, and the leader loses power as soon as that is answered -> it goes on alone', async () => {
    world = await World.led(18, 2);
    await world.run(world.store('n1').put('a', '1'));
    const [left, gone] = [world.leader, world.follower()];
    const { disk } = world.cluster.machine(left);
    disk.slowByUs = 200_000;
    await world.run(world.store(gone).members.remove(gone));
    // Whoever was told that it is removed may take it away for good.
    world.cluster.crash(gone, 'power');
    world.cluster.crash(left, 'power');
    disk.slowByUs = 0;
    const store = await world.run(world.cluster.start(left));
    await world.run(store.put('b', '2'));
    expect((await world.run(store.get('a')))?.text()).toBe('1');
  });

  test('of four, the leader is slow to apply, and lost for good as soon as the other is gone -> the two go on', async () => {
    world = await World.led(1, 4);
    const [left, gone] = [world.leader, world.follower()];
    const other = world.follower(gone);
    const puts = (count: number, bytes: number) => {
      for (let nth = 0; nth < count; nth += 1) {
        world
          .store(left)
          .put(`${nth}`, 'x'.repeat(bytes))
          .catch(() => undefined);
      }
    };
    let code: string | undefined;
    world.store(gone).on('failed', ({ error }) => {
      code = error.code;
    });
    world.cluster.machine(left).engineDisk.slowByUs = 400_000;
    // More than what is under way to its state machine at once, so that the removal comes in one batch
    // with what it takes its time for.
    puts(150, 60_000);
    await world.cluster.sim.run(60);
    world
      .store(left)
      .members.remove(gone)
      .catch(() => undefined);
    await world.cluster.sim.run(3);
    puts(50, 20_000);
    await world.until(() => code !== undefined);
    expect(code).toBe('MEMBER_REMOVED');
    world.cluster.crash(left, 'power');
    await world.run(world.store(other).put('b', '2'));
  });

  test('replaced in one step, the leader too -> as many voters at any time', async () => {
    world = await World.led(21);
    await world.join('n4', 'n1', { autoPromote: false });
    const gone = world.leader;
    const other = world.follower('n4');
    await world.until(() => world.store('n4').status().appliedIndex > 0);
    await world.replace(other, gone, 'n4');
    const roles = await world.roles(other);
    expect(Object.values(roles)).toEqual(['voter', 'voter', 'voter']);
    expect(roles).toMatchObject({ n4: 'voter' });
    expect(roles[gone]).toBeUndefined();
  });

  test('the only voter, replaced by a learner -> the learner goes on alone, and has everything', async () => {
    world = await World.led(15, 1);
    await world.run(world.store('n1').put('a', '1'));
    const joined = await world.join('n2', 'n1', { autoPromote: false });
    await world.replace('n2', 'n1', 'n2');
    await world.run(joined.put('b', '2'));
    expect((await world.run(joined.get('a')))?.text()).toBe('1');
    expect(await world.roles('n2')).toEqual({ n2: 'voter' });
  });

  test('leadership, asked of any member -> there, and back by id', async () => {
    world = await World.led(22);
    const first = world.leader;
    const second = world.follower();
    const third = world.follower(second);
    await world.run(world.store(third).transferLeadership(second));
    await world.until(() => world.cluster.leader() === second);
    const list = await world.run(world.store(third).members.list());
    const id = list.find(({ name }) => name === first)?.id as number;
    await world.run(world.store(second).transferLeadership(id));
    await world.until(() => world.cluster.leader() === first);
  });

  test('an address that nobody is at -> cut off from there; the right one again -> back', async () => {
    world = await World.led(23);
    const moved = world.follower();
    const leader = world.leader;
    await world.run(world.store(leader).members.update(moved, 'elsewhere:1'));
    const linked = () =>
      world
        .store(leader)
        .status()
        .peers.find(({ name }) => name === moved)?.isActive;
    await world.until(() => linked() === false);
    await world.run(world.store(leader).members.update(moved, `${moved}:1`));
    await world.until(() => linked() === true);
    const [found] = (await world.run(world.store(moved).members.list())).filter(
      (m) => m.name === moved,
    );
    expect(found?.address).toBe(`${moved}:1`);
  });

  test('the leader closes -> another leads at once', async () => {
    world = await World.led(24);
    // Long enough to have heard of the others.
    await world.cluster.sim.run(2_000);
    const closed = world.leader;
    const start = world.cluster.sim.nowMs;
    await world.run(world.cluster.stop(closed));
    await world.until(() => world.cluster.leader() !== undefined);
    await world.run(world.store(world.leader).put('a', '1'));
    expect(world.cluster.sim.nowMs - start).toBeLessThan(500);
  });
});

describe('refused', () => {
  const rejected = (code: string) => expect.objectContaining({ code, outcome: 'rejected' });

  test('what makes no sense, or would cost the quorum -> its code; nothing changes', async () => {
    world = await World.led(31);
    const { members } = world.store(world.follower());
    const down = world.follower(world.follower());
    const store = world.store(world.leader);
    const fails = async (call: Promise<unknown>, code: string) => {
      await expect(world.run(call)).rejects.toEqual(rejected(code));
    };
    await fails(members.add('n1', 'n9:1'), 'MEMBER_EXISTS');
    await fails(members.add('n9', 'n1:1'), 'MEMBER_EXISTS');
    await fails(members.remove('n9'), 'MEMBER_UNKNOWN');
    await fails(members.remove(9), 'MEMBER_UNKNOWN');
    await fails(members.promote('n1'), 'MEMBER_NOT_LEARNER');
    await world.run(members.add('n9', 'n9:1'));
    await fails(members.promote('n9'), 'LEARNER_NOT_READY');
    await fails(store.transferLeadership('n9'), 'LEARNER_NOT_READY');
    await world.run(members.remove('n9'));
    world.cluster.crash(down);
    await world.until(() =>
      store.status().peers.every(({ isActive, name }) => name !== down || !isActive),
    );
    await world.cluster.sim.run(2_000);
    await fails(store.members.add('n8', 'n8:1', { voter: true }), 'QUORUM_AT_RISK');
    const up = world.cluster.running.find((name) => name !== world.leader) as string;
    await fails(store.members.remove(up), 'QUORUM_AT_RISK');
    expect(await world.roles(up)).toEqual({ n1: 'voter', n2: 'voter', n3: 'voter' });
  });

  test('a name and an address of 256 characters -> taken; of 257, or no address -> not', async () => {
    world = await World.led(32);
    const { members } = world.store('n1');
    const name = 'n'.repeat(256);
    await world.run(members.add(name, `${'h'.repeat(254)}:1`));
    await expect(members.add(`${name}n`, 'h:1')).rejects.toEqual(rejected('ARGUMENT_INVALID'));
    await expect(members.add('n5', `${'h'.repeat(255)}:1`)).rejects.toEqual(
      rejected('ARGUMENT_INVALID'),
    );
    await expect(members.add('n5', 'nowhere')).rejects.toEqual(rejected('ARGUMENT_INVALID'));
    await expect(members.add('n5', 'h:1', { autoPromot: true } as never)).rejects.toEqual(
      rejected('ARGUMENT_INVALID'),
    );
  });

  // Found by a review: each member stopped as it applied the change, for its transport took it for no address.
  test('an address whose port is beyond 65535 -> refused, as by whoever has to connect to it', async () => {
    world = await World.led(36);
    const { members } = world.store('n1');
    for (const address of ['h:65536', '[::1]:99999']) {
      expect(() => parseAddress(address)).toThrow();
      await expect(world.run(members.add('n5', address))).rejects.toEqual(
        rejected('ARGUMENT_INVALID'),
      );
      await expect(world.run(members.update('n2', address))).rejects.toEqual(
        rejected('ARGUMENT_INVALID'),
      );
    }
    await world.run(members.add('n5', 'h:65535'));
  });

  test('a number that no member can have -> refused, before anybody is asked', async () => {
    world = await World.led(37);
    const store = world.store('n1');
    for (const id of [Number.NaN, -1, 0, 1.5, 2 ** 60]) {
      await expect(store.members.remove(id)).rejects.toEqual(rejected('ARGUMENT_INVALID'));
      await expect(store.transferLeadership(id)).rejects.toEqual(rejected('ARGUMENT_INVALID'));
    }
  });

  test('the time ends before the answer comes -> unknown, for the change is made', async () => {
    world = await World.led(34);
    const asks = world.follower();
    await world.run(world.store(asks).put('a', '1'));
    world.cluster.sim.network.block({ from: world.leader, to: asks });
    const call = world.store(asks).members.add('n4', 'n4:1', { timeoutMs: 300 });
    const late = { code: 'TIMEOUT', outcome: 'unknown' };
    await expect(world.run(call)).rejects.toMatchObject(late);
    world.cluster.sim.network.heal();
    expect(await world.roles(asks)).toHaveProperty('n4');
  });

  test('no leader -> TIMEOUT, nothing was done; aborted before anything was -> its reason', async () => {
    world = await World.led(33);
    const leader = world.leader;
    const alone = world.follower();
    world.cluster.sim.network.isolate(alone);
    const call = world.store(alone).members.remove(leader, { timeoutMs: 200 });
    await expect(world.run(call)).rejects.toMatchObject({ code: 'TIMEOUT' });
    const control = new AbortController();
    control.abort('no more');
    await expect(world.store(alone).members.list({ signal: control.signal })).rejects.toBe(
      'no more',
    );
  });
});

describe('wiped', () => {
  test('a founder that reaches only one that never met it -> no quorum with it', async () => {
    world = new World(41);
    const { network } = world.cluster.sim;
    network.partition(['n2'], ['n3']);
    await world.cluster.startAll();
    await world.until(() => world.cluster.leader() !== undefined);
    // Both others hear of it: one without any history could not tell (ADR 0018).
    await world.run(world.store('n1').transferLeadership('n1'));
    await world.run(world.store('n1').put('a', '1'));
    await world.run(world.store('n2').get('a'));
    const before = world.leader;
    world.cluster.crash('n3');
    world.cluster.machine('n3').wipe();
    network.heal();
    network.isolate('n1');
    const start = world.cluster.start('n3');
    start.catch(() => undefined);
    await expect(
      world.until(() => {
        const leader = world.cluster.leader();
        return leader !== undefined && leader !== 'n1' && leader !== before;
      }, 20_000),
    ).rejects.toThrow();
    network.heal();
    // Those that met it tell.
    const outcome = start.then(
      (store) => new Promise<string>((done) => store.on('failed', ({ error }) => done(error.code))),
      (error: { code: string }) => error.code,
    );
    expect(await world.run(outcome)).toBe('MEMBER_IDENTITY_CHANGED');
  });
});

test.each([51, 52])(
  'seed %i: 3 -> 5 -> 3 under load, all founders gone -> every write is there',
  async (seed) => {
    world = await World.led(seed);
    const written = new Set<string>();
    let isOver = false;
    let failure: unknown;
    let count = 0;
    // A call in a process that is killed never settles.
    let doomed: string | undefined = 'n5';
    // One writer after another through whoever runs; a write of a member that stops goes elsewhere.
    const write = async (nth: number): Promise<void> => {
      while (!isOver && failure === undefined) {
        count += 1;
        const key = `k${nth}.${count}`;
        for (let attempt = 0; ; attempt += 1) {
          const names = world.cluster.running.filter((name) => {
            const { failure: why, lifecycle } = world.store(name).status();
            return why === undefined && lifecycle === 'open' && name !== doomed;
          });
          const store = world.store(names[(count + attempt) % names.length] as string);
          try {
            await store.put(key, 'v', { timeoutMs: 2_000 });
            written.add(key);
            expect((await store.get(key, { timeoutMs: 2_000 }))?.text()).toBe('v');
            break;
          } catch (error) {
            const { code } = error as { code?: string };
            if (code === 'MEMBER_REMOVED' || code === 'CLOSED') continue;
            failure = error;
            return;
          }
        }
      }
    };
    const writers = [write(1)];
    await world.join('n4', 'n2');
    await world.promoted('n4');
    await world.join('n5', 'n3');
    world.cluster.crash('n5', 'process');
    await world.run(world.cluster.start('n5'));
    doomed = undefined;
    await world.promoted('n5');
    for (const gone of ['n1', 'n2']) {
      await world.run(world.store('n5').members.remove(gone));
      await world.run(world.cluster.stop(gone).catch(() => world.cluster.crash(gone, 'process')));
    }
    await world.join('n6', 'n4', { autoPromote: false });
    await world.replace('n4', 'n3', 'n6');
    isOver = true;
    // Before the last of them goes: what is under way in a process that is no more never settles.
    await world.run(Promise.all(writers));
    world.cluster.crash('n3', 'process');
    expect(failure).toBeUndefined();
    expect(written.size).toBeGreaterThan(20);
    expect(await world.roles('n6')).toEqual({ n4: 'voter', n5: 'voter', n6: 'voter' });
    for (const name of ['n4', 'n5', 'n6']) {
      const { kvs } = await world.run(world.store(name).range({ prefix: 'k' }));
      expect(kvs.length).toBeGreaterThanOrEqual(written.size);
    }
    // All of them again, from what they have on their disks.
    for (const name of ['n4', 'n5', 'n6']) world.cluster.crash(name);
    for (const name of ['n4', 'n5', 'n6']) await world.run(world.cluster.start(name));
    await world.run(world.store('n4').put('end', '1'));
    expect(await world.roles('n5')).toEqual({ n4: 'voter', n5: 'voter', n6: 'voter' });
  },
);

test('away while all others were replaced -> comes back by those it never heard of', async () => {
  world = await World.led(61);
  const away = 'n3';
  world.cluster.crash(away);
  await world.join('n4', 'n1');
  await world.promoted('n4');
  for (const gone of ['n1', 'n2']) {
    const fresh = gone === 'n1' ? 'n5' : 'n6';
    await world.join(fresh, 'n4');
    await world.promoted(fresh);
    await world.run(world.store('n4').members.remove(gone));
    world.cluster.crash(gone, 'process');
  }
  await world.run(world.store('n4').put('a', '1'));
  await world.run(world.cluster.start(away));
  expect((await world.run(world.store(away).get('a')))?.text()).toBe('1');
  expect(Object.keys(await world.roles(away)).sort()).toEqual(['n3', 'n4', 'n5', 'n6']);
});

// Nobody is left whom it ever met: others say who leads, and the leader speaks for itself (ADR 0018).
test('back where a member that it never met leads -> it is vouched for through the others', async () => {
  world = await World.led(62);
  const away = 'n3';
  await world.run(world.store(away).members.add('n4', 'n4:1'));
  world.cluster.crash(away);
  world.cluster.addMachine('n4');
  await world.run(world.cluster.start('n4'));
  await world.promoted('n4');
  for (const [fresh, gone] of [
    ['n5', 'n1'],
    ['n6', 'n2'],
  ] as const) {
    await world.join(fresh, 'n4');
    await world.promoted(fresh);
    await world.run(world.store('n4').members.remove(gone));
    world.cluster.crash(gone, 'process');
  }
  await world.run(world.store('n4').transferLeadership('n4'));
  await world.run(world.store('n4').put('a', '1'));
  const back = await world.run(world.cluster.start(away));
  expect((await world.run(back.get('a')))?.text()).toBe('1');
  expect(world.leader).toBe('n4');
  await world.run(back.put('b', '2'));
});
