// The whole virtual machine: equal seeds give equal runs, and time only passes in a run.
import { describe, expect, test } from 'vitest';
import { randomInt } from '../../src/base/prng.js';
import { SimRandom } from '../../src/testing/sim-random.js';
import { Simulator } from '../../src/testing/simulator.js';

/** A small made-up program on every part of an environment, with crashes. */
const play = async (seed: number, workSeed = 1): Promise<Simulator> => {
  const sim = new Simulator({ seed, network: { path: { dropRate: 0.1 } } });
  const work = new SimRandom({ seed: workSeed, stream: 'work', entity: [] });
  for (let round = 0; round < 4; round += 1) {
    for (const [at, name] of ['n1', 'n2', 'n3'].entries()) {
      const machine = sim.machine(name);
      machine.crash(randomInt(work, 2) === 0 ? 'power' : 'process');
      void live(machine.boot(), { id: at + 1, round });
    }
    await sim.run(100);
  }
  return sim;
};

type Env = ReturnType<ReturnType<Simulator['machine']>['boot']>;

const live = async (env: Env, { id, round }: { id: number; round: number }): Promise<void> => {
  const { fs, timers, transport, random, clock } = env;
  await transport.listen();
  transport.start(
    { clusterId: 1, memberId: id, dirId: 'd' },
    { onMessage: () => {}, admit: async () => {}, onLink: () => {}, onRefused: () => {} },
  );
  const file = await fs.open(`data/${round}`, 'create');
  const engine = await env.openEngine('data/state');
  const tick = async (): Promise<void> => {
    timers.after(5, () => void tick());
    const to = (id % 3) + 1;
    transport.send({
      kind: 'heartbeat-request',
      from: id,
      to,
      term: 1,
      commit: random.u32(),
      reads: 0,
      sentAt: 0,
    });
    transport.flush();
    await file.write(randomInt(random, 5_000), [new Uint8Array(100).fill(clock.monotonicMs())]);
    await file.sync();
    await engine.write([[String(random.u32()), new Uint8Array(4)]], { sync: false });
  };
  await tick();
};

describe('simulator', () => {
  test('equal seeds -> equal traces; another seed or another program -> another trace', async () => {
    const [first, again, other, otherWork] = [
      await play(1),
      await play(1),
      await play(2),
      await play(1, 2),
    ];
    expect(again.describe()).toBe(first.describe());
    expect(again.traceHash).toBe(first.traceHash);
    expect(other.traceHash).not.toBe(first.traceHash);
    expect(otherWork.traceHash).not.toBe(first.traceHash);
    expect(first.describe()).toMatch(/^seed 1 at 400 ms, trace [0-9a-f]{16}\n/);
  });

  test('clocks -> monotonic from each boot, wall over all, still between runs', async () => {
    const sim = new Simulator({ seed: 1 });
    await sim.run(50);
    const machine = sim.machine('n1');
    const { clock } = machine.boot();
    const wall = clock.wallMs();
    await sim.run(10.5);
    expect(clock.monotonicMs()).toBe(10.5);
    expect(clock.wallMs()).toBe(wall + 10);
    machine.crash();
    const again = machine.boot().clock;
    expect([again.monotonicMs(), again.wallMs()]).toEqual([0, wall + 10]);
    expect(sim.nowMs).toBe(60.5);
  });

  test('timers -> never early, a little late; soon in the order of calls, and never inside one', async () => {
    const sim = new Simulator({ seed: 1 });
    const { timers, clock } = sim.machine('n1').boot();
    const seen: string[] = [];
    for (const delayMs of [0, 1, 2.5, 20]) {
      timers.after(delayMs, () => {
        const late = clock.monotonicMs() - Math.max(1, delayMs);
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThan(1);
        seen.push(`after ${delayMs}`);
      });
    }
    const cancelled = timers.after(1, () => seen.push('cancelled'));
    for (const name of ['a', 'b']) timers.soon(() => seen.push(name));
    expect(seen).toEqual([]);
    await sim.run(0.5);
    expect(seen).toEqual(['a', 'b']);
    cancelled.cancel();
    await sim.run(30);
    cancelled.cancel();
    expect(seen).toHaveLength(6);
  });

  test('complete -> the value or the rejection; a promise that never settles -> TIMEOUT', async () => {
    const sim = new Simulator({ seed: 3 });
    const { timers } = sim.machine('n1').boot();
    const later = (act: (resolve: (n: number) => void, reject: (e: Error) => void) => void) =>
      new Promise<number>((resolve, reject) => {
        timers.after(5, () => act(resolve, reject));
      });
    expect(
      await sim.complete(
        later((resolve) => resolve(7)),
        100,
      ),
    ).toBe(7);
    expect(sim.nowMs).toBeLessThan(7);
    const failing = sim.complete(
      later((_, reject) => reject(new Error('planted'))),
      100,
    );
    await expect(failing).rejects.toThrow('planted');
    await expect(sim.complete(new Promise(() => {}), 10)).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('seed 3'),
    });
  });

  test('machines -> one per name; booted twice -> assertion; wiped -> empty, the folder back', async () => {
    const sim = new Simulator({ seed: 1 });
    const machine = sim.machine('n1');
    expect(sim.machine('n1')).toBe(machine);
    const { fs } = machine.boot();
    expect(() => machine.boot()).toThrow(/runs already/);
    expect(() => machine.wipe()).toThrow(/runs/);
    await sim.complete(fs.open('data/a', 'create'), 10);
    machine.crash('process');
    machine.crash();
    expect([machine.running, machine.boots]).toEqual([false, 1]);
    machine.wipe();
    expect(await sim.complete(machine.boot().fs.list(''), 10)).toEqual(['data']);
    expect(sim.machines).toEqual([machine]);
  });
});
