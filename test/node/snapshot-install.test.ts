// Power fails before and after every effect of a snapshot install, and in the recovery from it: the next
// start finds the old state with the old log, or the new one with the new log, and nothing between.
import { describe, expect, test } from 'vitest';
import { encodeCommand } from '../../src/codec/command-codec.js';
import type { Command } from '../../src/mvcc/types.js';
import { verifyRecord } from '../../src/mvcc/verify-record.js';
import { ApplyLoop } from '../../src/node/apply-loop.js';
import type { Env } from '../../src/node/index.js';
import { recoveredLog } from '../../src/node/recovery.js';
import { finishInstall, installSnapshot } from '../../src/node/snapshot-install.js';
import type { StorageAppend } from '../../src/raft/ready.js';
import type { Entry } from '../../src/raft/types.js';
import {
  MemoryEngine,
  SnapshotFiles,
  StateFolders,
  WriteBehindBackend,
} from '../../src/storage/index.js';
import type { KvEngine } from '../../src/storage/kv-engine.js';
import { openWal } from '../../src/storage/wal/index.js';
import { StoreStateMachine } from '../../src/store/state-machine.js';
import { type CrashKind, Simulator } from '../../src/testing/index.js';
import { VirtualTime } from './virtual-time.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);
const dir = 'data/store';
const last = { term: 2, index: 40 };
const configuration = { voters: [1, 2, 3], learners: [4] };
const voters = [1, 2, 3];

const entriesUpTo = (count: number, name: string): Entry[] =>
  Array.from({ length: count }, (_, nth) => {
    const value = new TextEncoder().encode(`${name}${nth}`.repeat(20));
    const command: Command = { op: 'put', key: `k${nth % 9}`, value };
    const data = encodeCommand({ session: 2 ** 52, seq: nth + 1, doneBelow: 1, command });
    return { term: 1, index: nth + 1, type: 'normal', data };
  });

/** A state at entry 40 as its stream, and its hash. */
async function otherState(): Promise<{ chunks: Uint8Array[]; hash: string }> {
  const timers = new VirtualTime();
  const backend = await WriteBehindBackend.open({ engine: new MemoryEngine(), timers });
  const machine = new StoreStateMachine(backend);
  await machine.open();
  await machine.apply(entriesUpTo(last.index, 'new'));
  const snapshot = machine.snapshot();
  const chunks: Uint8Array[] = [];
  for (let next = await snapshot.next(); next !== undefined; next = await snapshot.next()) {
    chunks.push(next.slice());
  }
  await snapshot.close();
  return { chunks, hash: machine.keyspace.stateHash };
}

/** Everything a member has open. */
async function openMember({ fs, openEngine, timers }: Env, isNew: boolean) {
  await fs.makeDirectory(dir);
  const openBackend = (engine: KvEngine) =>
    WriteBehindBackend.open({ engine, timers, verify: verifyRecord });
  const home = await StateFolders.find({ fs, openEngine, dir, openBackend });
  const backend = await openBackend(await home.openEngine());
  const applied = backend.openedIndex;
  const log = await openWal({
    ...{ fs, dir: `${dir}/wal`, voters, applied, create: isNew },
    ...{ segmentBytes: 16_384, preallocateBytes: 4_096 },
  });
  const store = await SnapshotFiles.open({ fs, dir: `${dir}/snapshots` });
  await home.retire();
  const machine = new StoreStateMachine(backend, home);
  const opened = await machine.open();
  const appliedIndex = await finishInstall({ log, machine, store }, opened.appliedIndex);
  recoveredLog(log, appliedIndex);
  await fs.syncDirectory(dir);
  return { appliedIndex, home, log, machine, store };
}

type Member = Awaited<ReturnType<typeof openMember>>;

class Rig {
  readonly sim: Simulator;
  readonly machine;
  env: Env;

  constructor(seed: number) {
    this.sim = new Simulator({ seed, traceLines: 0 });
    this.machine = this.sim.machine('n1');
    this.env = this.machine.boot();
  }

  complete<T>(promise: Promise<T>): Promise<T> {
    return this.sim.complete(promise, 60_000);
  }

  /** Lets so many events happen, or fewer when `promise` settles before; whether it did. */
  async steps(promise: Promise<unknown>, count: number): Promise<boolean> {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    for (let n = 0; n < count && !settled; n += 1) {
      let isFirst = true;
      const { scheduler } = this.sim;
      await scheduler.runTo(scheduler.nowUs + 1_000_000, () => {
        const stop = !isFirst;
        isFirst = false;
        return stop;
      });
    }
    return settled;
  }

  crash(kind: CrashKind): void {
    this.machine.crash(kind);
    this.env = this.machine.boot();
  }

  states(): string[] {
    const { names } = this.machine.disk;
    return names.children(dir).filter((name) => name.startsWith('state'));
  }
}

/** A member at entry 6 that has received the snapshot of entry 40. */
async function prepared(rig: Rig, chunks: readonly Uint8Array[]): Promise<Member> {
  const member = await rig.complete(openMember(rig.env, true));
  const { log, machine, store } = member;
  await rig.complete(rig.env.fs.syncDirectory('data'));
  const entries = entriesUpTo(6, 'old');
  const hardState = { term: 1, vote: 1, commit: 6 };
  await rig.complete(log.append({ entries, hardState, mustSync: true }));
  await rig.complete(machine.apply(entries));
  const sink = await rig.complete(store.create(last, configuration));
  for (const chunk of chunks) await rig.complete(sink.write(chunk));
  await rig.complete(sink.commit());
  return member;
}

const append: StorageAppend = {
  snapshot: { last, configuration, data: new Uint8Array(0) },
  hardState: { term: 2, vote: 0, commit: last.index },
  entries: [{ term: 2, index: 41, type: 'normal', data: new Uint8Array(0) }],
  mustSync: true,
  responses: [],
};

function install(
  { log, machine, store }: Member,
  pause: () => Promise<void> = () => Promise.reject(new Error('nobody waits')),
): Promise<void> {
  const handlers = { onApplied: () => undefined, onFailed: () => undefined };
  const apply = new ApplyLoop(machine, handlers);
  return installSnapshot({ log, machine, store, apply, pause }, append);
}

function checkOldOrNew(member: Member, hash: string): 'old' | 'new' {
  const { appliedIndex, log, machine } = member;
  expect(log.installing).toBeUndefined();
  if (appliedIndex < last.index) {
    expect(appliedIndex).toBeLessThanOrEqual(6);
    expect([log.firstIndex(), log.lastIndex()]).toEqual([1, 6]);
    return 'old';
  }
  expect(appliedIndex).toBe(last.index);
  expect(machine.keyspace.stateHash).toBe(hash);
  expect([log.firstIndex(), log.lastIndex(), log.term(40)]).toEqual([41, 41, 2]);
  expect(log.initialState().hardState).toEqual({ term: 2, vote: 0, commit: 40 });
  expect(log.initialState().learners).toEqual([4]);
  return 'new';
}

describe('a snapshot install', () => {
  const seeds = Array.from({ length: Math.max(1, Math.round(4 * depth)) }, (_, nth) => 40 + nth);
  const cases = seeds.flatMap((seed) => [
    [seed, 'power'],
    [seed, 'process'],
  ]) as [number, CrashKind][];

  test.each(cases)(
    'seed %i, a crash (%s) at each step -> old or new, finished',
    async (seed, kind) => {
      const { chunks, hash } = await otherState();
      const found = { old: 0, new: 0 };
      let isDone = false;
      for (let at = 0; !isDone; at += 1) {
        const rig = new Rig(seed * 1_000 + at);
        const installing = install(await prepared(rig, chunks));
        isDone = await rig.steps(installing, at);
        if (isDone) await installing;
        rig.crash(kind);
        // The recovery is cut short too, somewhere else each time.
        const recovering = openMember(rig.env, false);
        recovering.catch(() => undefined);
        await rig.steps(recovering, (at * 7) % 60);
        rig.crash(kind);
        const member = await rig.complete(openMember(rig.env, false));
        const state = checkOldOrNew(member, hash);
        found[state] += 1;
        // What was acknowledged stays.
        if (isDone) expect(state).toBe('new');
        if (state === 'old') {
          await rig.complete(install(member));
          expect(member.machine.keyspace.stateHash).toBe(hash);
        }
        await rig.complete(member.machine.close());
        await rig.complete(member.log.close());
        expect(rig.states().sort()).toEqual(['state-0000000000000028', 'state.current']);
      }
      expect(found.old).toBeGreaterThan(0);
      expect(found.new).toBeGreaterThan(10);
    },
    60_000,
  );

  /** A disk that is full from the moment on when the log says that a snapshot is being installed. */
  async function full(seed: number) {
    const { chunks, hash } = await otherState();
    const rig = new Rig(seed);
    const member = await prepared(rig, chunks);
    const disk = { isFull: true };
    rig.machine.engineDisk.isFull = () => disk.isFull && member.log.installing !== undefined;
    return { disk, hash, member, rig };
  }

  test('no space for the state -> tried again, as often as it takes; then as ever', async () => {
    const { disk, hash, member, rig } = await full(1);
    let pauses = 0;
    const pause = async () => {
      pauses += 1;
      disk.isFull = pauses < 3;
    };
    await rig.complete(install(member, pause));
    expect(pauses).toBe(3);
    expect(member.machine.keyspace.stateHash).toBe(hash);
    expect(member.log.installing).toBeUndefined();
    expect(rig.states().sort()).toEqual(['state-0000000000000028', 'state.current']);
  });

  test('nobody waits for space any more -> it fails, and the next open finishes it', async () => {
    const { disk, hash, member, rig } = await full(2);
    await expect(rig.complete(install(member))).rejects.toMatchObject({ message: 'nobody waits' });
    rig.crash('process');
    disk.isFull = false;
    expect(checkOldOrNew(await rig.complete(openMember(rig.env, false)), hash)).toBe('new');
  });
});
