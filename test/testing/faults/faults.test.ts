// Faults do to machines and network what they say, and end it.
import { expect, test } from 'vitest';
import { kontikiError } from '../../../src/base/errors.js';
import { Prng } from '../../../src/base/prng.js';
import type { StorageAppend } from '../../../src/raft/ready.js';
import { SimCluster, type SimService } from '../../../src/testing/cluster/sim-cluster.js';
import { storeCluster } from '../../../src/testing/cluster/store-cluster.js';
import {
  drawFault,
  type Fault,
  faultKinds,
  injectFault,
} from '../../../src/testing/faults/fault.js';
import type { FaultContext } from '../../../src/testing/faults/fault-type.js';
import { Moments } from '../../../src/testing/faults/moments.js';
import { FaultSupervisor } from '../../../src/testing/run/fault-supervisor.js';
import { assertingObserver } from '../../../src/testing/sim-machine.js';

/** What a fault asked for, on a cluster in which `n1` is meant by every target. */
class World {
  readonly cluster = storeCluster({ seed: 3, tuning: { segmentBytes: 8_192 } });
  readonly ends: { readonly ms: number; readonly end: () => void }[] = [];
  readonly moments = new Moments();
  readonly restarted: string[] = [];

  inject(fault: Fault): void {
    const { cluster, ends, moments, restarted } = this;
    const context: FaultContext = {
      cluster: cluster as unknown as FaultContext['cluster'],
      random: new Prng(1),
      resolve: () => 'n1',
      until: (ms, end) => void ends.push({ ms, end }),
      onMoment: (moment, action) => moments.next(moment, action),
      restart: (name) => void restarted.push(name),
      mayDamage: () => true,
      mayRollBack: () => true,
      mayStop: () => undefined,
    };
    injectFault(fault, context);
  }

  /** In order of time. */
  end(): void {
    for (const { end } of this.ends.splice(0).sort((a, b) => a.ms - b.ms)) end();
  }
}

test('every kind -> draws itself, as a value that JSON keeps', () => {
  for (const kind of faultKinds) {
    const fault = drawFault(kind, new Prng(5), ['n1', 'n2', 'n3']);
    expect(fault.kind).toBe(kind);
    expect(JSON.parse(JSON.stringify(fault))).toEqual(fault);
  }
});

test('slow link -> one way takes long, the others do not, until it ends', () => {
  const world = new World();
  const { network } = world.cluster.sim;
  const delays = () => [
    network.path({ from: 'n1', to: 'n3' }).delayUs(),
    network.path({ from: 'n3', to: 'n1' }).delayUs(),
    network.path({ from: 'n1', to: 'n2' }).delayUs(),
  ];
  const way = { direction: 'from', other: 1, delayMs: 2_000, forMs: 10 } as const;
  world.inject({ kind: 'slow-link', target: 'n1', ...way });
  const [slow = 0, ...others] = delays();
  expect(slow).toBe(2_000_000);
  expect(Math.max(...others)).toBeLessThan(100_000);
  world.end();
  expect(Math.max(...delays())).toBeLessThan(100_000);
});

test('slow disk of the state, with a loss of power -> only the engine is slow, then the machine is off', async () => {
  const world = new World();
  await world.cluster.startAll();
  const machine = world.cluster.machine('n1');
  const slow = { holds: 'state', byMs: 20, forMs: 50, losesPower: true } as const;
  world.inject({ kind: 'slow-disk', target: 'n1', ...slow });
  expect([machine.engineDisk.slowByUs, machine.disk.slowByUs]).toEqual([20_000, 0]);
  expect(machine.running).toBe(true);
  world.end();
  expect(machine.engineDisk.slowByUs).toBe(0);
  expect(machine.running).toBe(false);
  world.end();
  expect(world.restarted).toEqual(['n1']);
});

test('stalled disk -> what is asked of it takes as long as it stalls, and then nothing does', async () => {
  const world = new World();
  await world.cluster.startAll();
  const machine = world.cluster.machine('n1');
  world.inject({ kind: 'stalled-disk', target: 'n1', forMs: 4_000 });
  expect([machine.disk.slowByUs, machine.engineDisk.slowByUs]).toEqual([4_000_000, 0]);
  world.end();
  expect([machine.disk.slowByUs, machine.running]).toEqual([0, true]);
});

test('slow disk of flushes -> writes of the engine are slow, reads are not, until it ends', async () => {
  const world = new World();
  const { sim } = world.cluster;
  const machine = world.cluster.machine('n1');
  const engine = await sim.complete(machine.boot().openEngine('data/state'), 100);
  const elapsed = async (work: Promise<unknown>): Promise<number> => {
    const startMs = sim.nowMs;
    await sim.complete(work, 1_000);
    return sim.nowMs - startMs;
  };
  const write = () => elapsed(engine.write([['a', new Uint8Array(1)]], { sync: true }));
  world.inject({ kind: 'slow-disk', target: 'n1', holds: 'flushes', byMs: 200, forMs: 50 });
  expect(await elapsed(engine.getMany(['a']))).toBeLessThan(10);
  expect(await write()).toBeGreaterThanOrEqual(100);
  world.end();
  expect(await write()).toBeLessThan(10);
});

test('cold state -> the engines of all are slow, until it ends', () => {
  const world = new World();
  const slow = () =>
    ['n1', 'n2', 'n3'].map((name) => world.cluster.machine(name).engineDisk.slowByUs);
  world.inject({ kind: 'cold-state', byMs: 3, forMs: 50 });
  expect(slow()).toEqual([3_000, 3_000, 3_000]);
  world.end();
  expect(slow()).toEqual([0, 0, 0]);
});

test('left behind, then slow -> cut off first, slow once it is back', () => {
  const world = new World();
  const { disk } = world.cluster.machine('n1');
  const path = world.cluster.sim.network.path({ from: 'n2', to: 'n1' });
  world.inject({ kind: 'left-behind', forMs: 1_000, slowByMs: 7 });
  expect([path.blocked, disk.slowByUs]).toEqual([true, 0]);
  const [heal, slow, end] = world.ends.splice(0);
  heal?.end();
  slow?.end();
  expect([path.blocked, disk.slowByUs]).toEqual([false, 7_000]);
  end?.end();
  expect(disk.slowByUs).toBe(0);
});

test('left behind, and once more -> whoever installs next loses its connections and is cut off', async () => {
  const world = new World();
  const { network } = world.cluster.sim;
  const installing = () => {
    world.moments.reached('n1', 'install');
    return world.cluster.sim.run(10);
  };
  const paths = [
    network.path({ from: 'n2', to: 'n1' }),
    network.path({ from: 'n1', to: 'n2' }),
    network.path({ from: 'n1', to: 'n3' }),
  ];
  const blocked = () => paths.map((path) => path.blocked);
  world.inject({ kind: 'left-behind', forMs: 1_000, direction: 'in', againMs: 500 });
  expect(blocked()).toEqual([true, false, false]);
  await installing();
  expect(blocked()).toEqual([true, true, true]);
  world.end();
  expect(blocked()).toEqual([false, false, false]);
  world.inject({ kind: 'left-behind', forMs: 1_000, againMs: 500 });
  world.end();
  await installing();
  expect(blocked()).toEqual([false, false, false]);
});

test('deposed -> the disk stalls, then it is cut off; both end', async () => {
  const world = new World();
  const { sim } = world.cluster;
  const { disk } = world.cluster.machine('n1');
  const path = sim.network.path({ from: 'n2', to: 'n1' });
  world.inject({ kind: 'deposed', forMs: 300, slowByMs: 90, slowForMs: 100 });
  expect([path.blocked, disk.slowByUs]).toEqual([false, 90_000]);
  await sim.run(60);
  expect(path.blocked).toBe(true);
  world.end();
  expect([path.blocked, disk.slowByUs]).toEqual([false, 0]);
  world.inject({ kind: 'deposed', forMs: 300, slowByMs: 90, slowForMs: 100 });
  world.end();
  await sim.run(60);
  expect(path.blocked).toBe(false);
});

test('a failed flush that nobody asked for -> the engine is whole again when it ends', async () => {
  const world = new World();
  const machine = world.cluster.machine('n1');
  const { sim } = world.cluster;
  const env = machine.boot();
  const open = () => sim.complete(env.openEngine('data/state'), 100);
  let engine = await open();
  const write = () => sim.complete(engine.write([['a', new Uint8Array(1)]], { sync: true }), 100);
  for (const code of ['STORAGE_IO', 'NO_SPACE'] as const) {
    world.inject({ kind: 'failed-flush', target: 'n1', code, kept: false });
    await expect(write()).rejects.toMatchObject({ code });
    world.inject({ kind: 'failed-flush', target: 'n1', code, kept: false });
    world.end();
    await expect(write()).rejects.toMatchObject({ code: 'STORAGE_IO' });
    await sim.complete(engine.close(), 100);
    engine = await open();
    await write();
  }
});

test('a flipped bit at the end of the log -> in the newest segment, before its end', async () => {
  const world = new World();
  await world.cluster.startAll();
  const { disk } = world.cluster.machine('n1');
  const read = () =>
    new Map(disk.names.files().map(([path, file]) => [path, file.read(0, file.size)]));
  world.cluster.crash('n1', 'process');
  const before = read();
  world.inject({ kind: 'flipped-bit', target: 'n1', where: 'log-end', downMs: 1 });
  const after = read();
  const changed = [...after].filter(([path, bytes]) => {
    return Buffer.compare(bytes, before.get(path) as Uint8Array) !== 0;
  });
  expect(changed.map(([path]) => path)).toEqual([
    [...before.keys()]
      .filter((path) => path.endsWith('.wal'))
      .sort()
      .at(-1),
  ]);
});

test('moments -> the first member to get there is told of, once', () => {
  const moments = new Moments();
  const removed: string[] = [];
  const machines = ['n1', 'n2'].map((name) => {
    const disk = { onRemove: (path: string) => removed.push(path) };
    return { name, observer: assertingObserver, disk };
  });
  for (const machine of machines) moments.observe(machine as never);
  const write = (at: number, append: Partial<StorageAppend>) => {
    machines[at]?.observer.writing({ entries: [], ...append } as unknown as StorageAppend);
  };
  const told: string[] = [];
  for (const moment of ['install', 'vote', 'write', 'start', 'trim'] as const) {
    moments.next(moment, (name) => told.push(`${moment} ${name}`));
  }
  write(0, { hardState: { term: 3, vote: 0, commit: 0 } });
  write(1, { entries: [{ term: 1, index: 1, type: 'normal', data: new Uint8Array(10) }] });
  expect(told).toEqual([]);
  write(1, { snapshot: {} as never });
  write(0, { hardState: { term: 3, vote: 2, commit: 0 } });
  write(0, { entries: [{ term: 1, index: 1, type: 'normal', data: new Uint8Array(600) }] });
  moments.reached('n2', 'start');
  write(0, { snapshot: {} as never });
  machines[0]?.disk.onRemove('data/state-1/000003.log');
  expect(told).toEqual(['install n2', 'vote n1', 'write n1', 'start n2']);
  machines[1]?.disk.onRemove('data/member/wal/1.wal');
  expect(told.pop()).toBe('trim n2');
  expect(removed.length).toBe(2);
  const stop = moments.next('install', () => told.push('never'));
  stop();
  write(0, { snapshot: {} as never });
  expect(told.length).toBe(4);
});

test('a crash while installing -> nothing until somebody installs, then that one', async () => {
  const world = new World();
  await world.cluster.startAll();
  const fault = { how: 'power', effects: 1, when: 'before', downMs: 5 } as const;
  world.inject({ kind: 'crash-installing', ...fault });
  const { sim } = world.cluster;
  await sim.complete(world.cluster.service('n1').put('a', '1'), 10_000);
  await sim.run(200);
  expect(world.cluster.machine('n2').running).toBe(true);
  world.moments.reached('n2', 'install');
  await sim.complete(world.cluster.service('n1').put('a', '2'), 10_000);
  await sim.run(200);
  expect(world.cluster.machine('n2').running).toBe(false);
  expect(world.cluster.machine('n1').running).toBe(true);
});

test.each([
  ['LEADER_CHANGED', 'n1', ['S1']],
  ['STORAGE_IO', 'n2', ['S1']],
  ['STORAGE_IO', 'n1', []],
  ['ASSERTION', 'n1', ['ASSERTION']],
] as const)(
  'a member stops with %s, a flush of %s was to fail -> %j',
  async (code, target, expected) => {
    const failure = kontikiError(code as 'STORAGE_IO', 'on its own');
    const zeros = { term: 1, lastIndex: 0, committedIndex: 0, appliedIndex: 0 };
    const status = { role: 'follower', lifecycle: 'closed', failure, ...zeros } as const;
    let starts = 0;
    const service = (): SimService => {
      starts += 1;
      const lifecycle = starts === 1 ? 'closed' : 'open';
      return { status: () => ({ ...status, lifecycle }), close: async () => undefined };
    };
    const cluster = new SimCluster<SimService>({
      seed: 1,
      members: 2,
      open: async () => service(),
    });
    const found: string[] = [];
    const supervisor = new FaultSupervisor(cluster, (id) => found.push(id));
    await cluster.sim.complete(cluster.start('n1'), 1_000);
    supervisor.inject({ kind: 'failed-flush', target, kept: false });
    await cluster.sim.run(400);
    expect(found).toEqual(expected);
  },
);
