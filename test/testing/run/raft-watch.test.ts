// The invariants of Raft look into stores that run: a group without fault holds, and whoever tells them
// of something that must not be is found out.
import { describe, expect, test } from 'vitest';
import type { NodeObserver } from '../../../src/node/index.js';
import type { Raft } from '../../../src/raft/raft.js';
import { coreOf } from '../../../src/raft/raw-node.js';
import { storeCluster } from '../../../src/testing/cluster/store-cluster.js';
import { RaftWatch } from '../../../src/testing/run/raft-watch.js';

type Observer = Pick<NodeObserver, keyof NodeObserver>;

/** A group under a watch; what its nodes say may be changed on the way. */
class Watched {
  readonly found: string[] = [];
  readonly cluster = storeCluster({ seed: 5, tuning: { segmentBytes: 16_384 } });
  readonly watch: RaftWatch;

  constructor(plant: (name: string, honest: Observer) => Partial<Observer> = () => ({})) {
    const { cluster } = this;
    this.watch = new RaftWatch(
      () => cluster.sim.scheduler.nowUs,
      (id, message) => this.found.push(`${id} ${message}`),
    );
    for (const name of cluster.names) {
      const machine = cluster.machine(name);
      this.watch.watch(machine);
      machine.observer = { ...machine.observer, ...plant(name, machine.observer) };
    }
  }

  /** The first rule that was broken. */
  get id(): string | undefined {
    return this.found[0]?.split(' ')[0];
  }

  /** Writes and reads on every member, while one of them restarts. */
  async live(kind: 'power' | 'process' = 'power'): Promise<this> {
    const { cluster } = this;
    await cluster.startAll();
    await this.#write('a');
    cluster.crash('n2', kind);
    await this.#write('b');
    await cluster.startAll();
    await cluster.sim.runUntil(() => cluster.isSettled(), 10_000);
    return this;
  }

  async #write(key: string): Promise<void> {
    const { cluster } = this;
    await cluster.sim.runUntil(() => cluster.leader() !== undefined, 10_000);
    for (const name of cluster.running) {
      const store = cluster.service(name);
      for (let at = 0; at < 5; at += 1) {
        await cluster.sim.complete(store.put(key, `${name} ${at}`), 10_000);
      }
      await cluster.sim.complete(store.get(key), 10_000);
    }
  }
}

describe('raft watch', () => {
  test('a group without fault -> holds, to the end', async () => {
    const watched = await new Watched().live();
    watched.watch.healed();
    await watched.cluster.sim.run(1_000);
    watched.watch.end();
    expect(watched.found).toEqual([]);
  });

  test('writes that are never said to be durable -> R10', async () => {
    const watched = await new Watched(() => ({ written: () => undefined })).live();
    expect(watched.id).toBe('R10');
  });

  test('a vote that leaves twice, for two candidates -> R9', async () => {
    const watched = new Watched((_, honest) => ({
      sent: (message) => {
        honest.sent(message);
        if (message.kind !== 'vote-request') return;
        const { from, to, term } = message;
        honest.sent({ kind: 'vote-response', from, to, term, granted: true });
      },
    }));
    expect((await watched.live()).id).toBe('R9');
  });

  test('an entry that a member does not apply -> R4', async () => {
    const watched = new Watched((name, honest) => ({
      applied: (entries, results) => {
        const isLeftOut = name === 'n3' && entries[0]?.index === 9;
        honest.applied(isLeftOut ? entries.slice(1) : entries, results);
      },
    }));
    expect((await watched.live()).id).toBe('R4');
  });

  test('another entry than was committed -> R4', async () => {
    const watched = new Watched((name, honest) => ({
      applied: (entries, results) => {
        const data = new Uint8Array(1);
        const others = entries.map((entry) => (entry.index === 9 ? { ...entry, data } : entry));
        honest.applied(name === 'n3' ? others : entries, results);
      },
    }));
    expect((await watched.live()).id).toBe('R4');
  });

  test('a read that is served with an index of the past -> R15', async () => {
    const watched = new Watched((_, honest) => ({
      readAnswered: ({ readId, index }) => honest.readAnswered({ readId, index: index - 5 }),
    }));
    expect((await watched.live()).id).toBe('R15');
  });

  test('an answer to a read that nobody asked -> R15', async () => {
    const watched = new Watched(() => ({ readAsked: () => undefined }));
    expect((await watched.live()).id).toBe('R15');
  });

  test('a log that is another one after a restart -> S1 at the open', async () => {
    const watched = new Watched((name, honest) => ({
      opened: (node) => {
        const { log } = node;
        const lastIndex = () => Math.min(log.lastIndex(), 3);
        const hardState = { term: 0, vote: 0, commit: 0 };
        const initialState = () => ({ ...log.initialState(), hardState });
        const isAgain = name === 'n2' && log.lastIndex() > 3;
        const short = {
          firstIndex: () => log.firstIndex(),
          lastIndex,
          initialState,
          term: (index: number) => (index > 3 ? undefined : log.term(index)),
          entries: log.entries.bind(log),
        };
        honest.opened(isAgain ? { ...node, log: short } : node);
      },
    }));
    expect((await watched.live()).id).toBe('S1');
  });

  test('a core that leads without an election -> R1', async () => {
    let core: Raft | undefined;
    const watched = new Watched((name, honest) => ({
      opened: (node) => {
        if (name === 'n3') core = coreOf(node.raft);
        honest.opened(node);
      },
      received: (message) => {
        const liar =
          name === 'n3' && core?.role === 'follower' && core.leader > 0 ? core : undefined;
        if (liar !== undefined) liar.role = 'leader';
        honest.received(message);
        if (liar !== undefined) liar.role = 'follower';
      },
    }));
    expect((await watched.live()).id).toBe('R1');
  });

  test('disks that lie about every sync, and a power cut -> S1 at the next open', async () => {
    const watched = new Watched();
    const { cluster } = watched;
    for (const name of cluster.names) cluster.machine(name).disk.lyingSyncs = true;
    await cluster.startAll();
    await cluster.sim.runUntil(() => cluster.leader() !== undefined, 10_000);
    await cluster.sim.complete(cluster.service('n1').put('a', '1'), 10_000);
    for (const name of cluster.names) cluster.crash(name, 'power');
    const starts = Promise.allSettled(cluster.names.map((name) => cluster.start(name)));
    await cluster.sim.complete(starts, 10_000);
    expect(watched.id).toBe('S1');
  });
});
