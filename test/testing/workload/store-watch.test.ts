// The invariants of the keyspace look into stores that run: stores without fault hold, and each kind of
// step that they are told can fail.
import { describe, expect, test } from 'vitest';
import type { NodeObserver } from '../../../src/node/index.js';
import { StoreStateMachine } from '../../../src/store/state-machine.js';
import { storeCluster } from '../../../src/testing/cluster/store-cluster.js';
import type { StoreStep } from '../../../src/testing/invariants/store-step.js';
import { StoreWatch, type Untimed } from '../../../src/testing/workload/store-watch.js';

class Watched {
  readonly found: string[] = [];
  readonly entries: number[] = [];
  readonly cluster = storeCluster({ seed: 6 });
  readonly watch: StoreWatch;

  constructor(plant: (name: string, honest: NodeObserver) => Partial<NodeObserver> = () => ({})) {
    const { cluster, found } = this;
    const { scheduler } = cluster.sim;
    const context = {
      get nowUs() {
        return scheduler.nowUs;
      },
      violated: (id: string, message: string) => void found.push(`${id} ${message}`),
    };
    this.watch = new StoreWatch(context, ({ index }) => this.entries.push(index));
    for (const name of cluster.names) {
      const machine = cluster.machine(name);
      this.watch.watch(machine);
      machine.observer = { ...machine.observer, ...plant(name, machine.observer) };
    }
  }

  get id(): string | undefined {
    return this.found[0]?.split(' ')[0];
  }

  /** Three puts and a delete: revisions 2 to 5. */
  async live(): Promise<this> {
    const { cluster } = this;
    const { sim } = cluster;
    await cluster.startAll();
    await sim.runUntil(() => cluster.leader() !== undefined, 10_000);
    const store = cluster.service('n1');
    for (const key of ['a', 'b', 'a']) await sim.complete(store.put(key, `of ${key}`), 10_000);
    await sim.complete(store.delete('b'), 10_000);
    await sim.runUntil(() => cluster.isSettled(), 10_000);
    return this;
  }

  see(...steps: readonly Untimed<StoreStep>[]): void {
    for (const step of steps) this.watch.observe(step);
  }
}

/** Changes what the machine of one member does from its first open on. */
function onMachine(name: string, change: (machine: StoreStateMachine) => void) {
  return (each: string, honest: NodeObserver): Partial<NodeObserver> => ({
    opened: (node) => {
      if (each === name && node.machine instanceof StoreStateMachine) change(node.machine);
      honest.opened(node);
    },
  });
}

const opened = {
  kind: 'watch-opened',
  stream: 's',
  member: 'n1',
  fromRevision: 2,
  gte: 'a',
} as const;

const batch = (revision: number, changes: readonly string[]): Untimed<StoreStep> => ({
  kind: 'watch-batch',
  stream: 's',
  revision,
  changes: changes.map((key, at) => ({ key, type: 'put', revision: 2 + at })),
});

describe('store watch', () => {
  test('stores without fault, restarts included -> hold; each entry is told once', async () => {
    const watched = await new Watched().live();
    const { cluster, watch } = watched;
    for (const name of cluster.names) cluster.crash(name, 'power');
    await watched.live();
    watched.see(opened, batch(4, ['a', 'b', 'a']), { kind: 'called', call: 1 });
    watched.see({ kind: 'settled', call: 1 });
    watch.end();
    expect(watched.found).toEqual([]);
    const last = watched.entries.at(-1) ?? 0;
    expect(last).toBeGreaterThan(8);
    expect(watched.entries).toEqual(Array.from({ length: last }, (_, at) => at + 1));
  });

  test('a member that changes another key -> W11', async () => {
    const watched = new Watched(
      onMachine('n2', ({ hub }) => {
        const notify = hub.notify.bind(hub);
        hub.notify = (revision, events) =>
          notify(
            revision,
            events.map((event) => ({ ...event, key: 'z' })),
          );
      }),
    );
    expect((await watched.live()).id).toMatch(/^(W11|M2)$/);
  });

  test('a member that is at another revision -> M1', async () => {
    let isLate = false;
    const watched = new Watched((name, honest) => ({
      applied: (entries, results) => {
        // One entry on, as if it had been carried out twice.
        const shifted = entries.map((entry) => ({ ...entry, index: entry.index - 1 }));
        isLate ||= name === 'n3' && (entries[0]?.index ?? 0) > 3;
        honest.applied(isLate && name === 'n3' ? shifted : entries, results);
      },
    }));
    expect((await watched.live()).id).toBe('M1');
  });

  test('a member that holds something else -> M6', async () => {
    const watched = new Watched(
      onMachine('n2', ({ keyspace }) => {
        Object.defineProperty(keyspace, 'stateHash', { value: 'other' });
      }),
    );
    expect((await watched.live()).id).toBe('M6');
  });

  test('a revision of which no watcher was told -> noticed', async () => {
    const watched = new Watched(
      onMachine('n2', ({ hub }) => {
        hub.notify = () => undefined;
      }),
    );
    expect((await watched.live()).id).toBe('CHECKER');
  });

  const broken: Readonly<Record<string, readonly Untimed<StoreStep>[]>> = {
    W4: [opened, batch(3, ['a'])],
    W5: [opened, batch(3, ['a', 'b']), { ...opened, fromRevision: 5 }],
    W6: [opened, { kind: 'watch-batch', stream: 's', revision: 99, changes: [] }],
    W10: [opened, { kind: 'watch-ended', stream: 's' }, batch(2, ['a'])],
    X5: [{ kind: 'called', call: 1 }],
    L6: [
      { kind: 'lease-began', lease: 1n, index: 1, ttlUs: 1e9 },
      { kind: 'lease-ended', lease: 1n, revision: 0, reason: 'expired' },
    ],
    L2: [
      { kind: 'lease-granted', lease: 1n, ttlUs: 1e9, sentUs: 0 },
      { kind: 'lease-ended', lease: 1n, revision: 0, reason: 'expired' },
    ],
  };
  test.each(Object.entries(broken))('steps that break %s -> it', async (id, steps) => {
    const watched = await new Watched().live();
    watched.see(...steps);
    watched.watch.end();
    expect(watched.id).toBe(id);
  });

  test('another leader -> its term begins, and what leases have left counts from then', async () => {
    const watched = await new Watched().live();
    const { cluster } = watched;
    const before = cluster.leader() as string;
    watched.see(
      { kind: 'lease-began', lease: 1n, index: 1, ttlUs: 1e9 },
      { kind: 'lease-noted', lease: 1n, leftUs: 1 },
    );
    cluster.crash(before, 'process');
    await cluster.sim.runUntil(() => ![before, undefined].includes(cluster.leader()), 20_000);
    await cluster.sim.run(2_000);
    watched.see({ kind: 'lease-ended', lease: 1n, revision: 0, reason: 'expired' });
    expect(watched.found).toEqual([]);
  });

  test('a batch that comes before its entry is told of -> waits, and is checked', async () => {
    const watched = new Watched();
    watched.see(opened, batch(3, ['a']));
    expect(watched.found).toEqual([]);
    expect((await watched.live()).id).toBe('W4');
  });
});
