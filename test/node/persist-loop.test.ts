// The log store here finishes a write when the test says so.
import { describe, expect, test } from 'vitest';
import { Deferred } from '../../src/base/deferred.js';
import { PersistLoop } from '../../src/node/persist-loop.js';
import type { Message } from '../../src/raft/messages.js';
import type { StorageAppend } from '../../src/raft/ready.js';
import type { Entry, HardState } from '../../src/raft/types.js';
import { MemoryLogStore } from '../../src/storage/index.js';
import type { LogBatch } from '../../src/storage/log-store.js';

class SlowLog extends MemoryLogStore {
  readonly writes: LogBatch[] = [];
  readonly #open: Deferred<void>[] = [];

  constructor() {
    super({ voters: [1] });
  }

  override append(batch: LogBatch): Promise<void> {
    this.writes.push(batch);
    const write = new Deferred<void>();
    this.#open.push(write);
    return write.promise;
  }

  async finish(): Promise<void> {
    this.#open.shift()?.resolve();
    await settle();
  }

  async break(error: unknown): Promise<void> {
    this.#open.shift()?.reject(error);
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

function loop() {
  const log = new SlowLog();
  const released: number[] = [];
  const failures: unknown[] = [];
  const persist = new PersistLoop(log, {
    onDurable: (responses) => released.push(...responses.map((response) => response.term)),
    onFailed: (error) => failures.push(error),
  });
  return { log, persist, released, failures };
}

const entry = (index: number): Entry => {
  return { term: 1, index, type: 'normal', data: new Uint8Array(0) };
};
const committed = (commit: number): HardState => ({ term: 1, vote: 1, commit });
/** A pledge, told apart by its term. */
const pledge = (term: number): Message => {
  return { kind: 'append-response', from: 1, to: 2, term, index: 0 };
};
const write = (index: number, pledges: number[], hardState?: HardState): StorageAppend => {
  const responses = pledges.map(pledge);
  return { entries: [entry(index)], mustSync: true, responses, ...(hardState && { hardState }) };
};
const moved = (commit: number, pledges: number[] = []): StorageAppend => {
  const responses = pledges.map(pledge);
  return { entries: [], mustSync: false, responses, hardState: committed(commit) };
};
const pledges = (...terms: number[]): StorageAppend => {
  return { entries: [], mustSync: false, responses: terms.map(pledge) };
};

describe('persist loop', () => {
  test('writes: handed over at once and in order, pledges released as each is durable', async () => {
    const { log, persist, released } = loop();
    persist.push(write(1, [10, 11]));
    persist.push(write(2, [12]));
    expect(log.writes.map(({ entries }) => entries[0]?.index)).toEqual([1, 2]);
    expect(released).toEqual([]);
    await log.finish();
    expect(released).toEqual([10, 11]);
    await log.finish();
    expect(released).toEqual([10, 11, 12]);
  });

  test("a write is handed over as it is: whether to keep it for later is the store's to say", () => {
    const { log, persist } = loop();
    persist.push(moved(1));
    persist.push(write(1, [10], committed(0)));
    expect(log.writes).toMatchObject([
      { entries: [], mustSync: false, hardState: committed(1) },
      { entries: [entry(1)], mustSync: true, hardState: committed(0) },
    ]);
  });

  test('pledges alone -> behind the writes before them', async () => {
    const { log, persist, released } = loop();
    persist.push(write(1, [11]));
    persist.push(pledges(12));
    persist.push(moved(2, [13]));
    expect(released).toEqual([]);
    await log.finish();
    expect(released).toEqual([11]);
    await log.finish();
    await log.finish();
    expect(released).toEqual([11, 12, 13]);
  });

  test('a failed write: told once, nothing is released any more', async () => {
    const { log, persist, released, failures } = loop();
    persist.push(write(1, [10]));
    persist.push(write(2, [11]));
    persist.push(pledges(12));
    await log.break('disk');
    await log.break('disk too');
    persist.push(pledges(13));
    persist.push(write(3, [14]));
    await log.finish();
    expect(failures).toEqual(['disk']);
    expect(released).toEqual([]);
  });

  test('the same pledges again behind a write that waits -> released once, each write reported', async () => {
    /** As the log does: an empty batch settles with the group that is on its way. */
    class JoiningLog extends SlowLog {
      #newest: Promise<void> | undefined;

      override append(batch: LogBatch): Promise<void> {
        const isEmpty = batch.entries.length === 0 && batch.hardState === undefined;
        if (!isEmpty || this.#newest === undefined) this.#newest = super.append(batch);
        return this.#newest;
      }
    }
    const log = new JoiningLog();
    const released: number[] = [];
    const written: StorageAppend[] = [];
    const persist = new PersistLoop(log, {
      onWritten: (append) => written.push(append),
      onDurable: (responses) => released.push(...responses.map((response) => response.term)),
      onFailed: () => undefined,
    });
    const again: StorageAppend = { entries: [], mustSync: false, responses: [pledge(1)] };
    persist.push(write(1, [1]));
    for (let nth = 0; nth < 1_000; nth += 1) persist.push({ ...again, responses: [pledge(1)] });
    persist.push({ ...again, responses: [pledge(2)] });
    persist.push(again);
    expect([persist.isBusy, persist.done]).toEqual([true, 0]);
    await log.finish();
    expect(released).toEqual([1, 2, 1]);
    expect([persist.isBusy, persist.done, written.length]).toEqual([false, 1_003, 1_003]);
    // Behind it everything is new again.
    persist.push(write(2, [1]));
    await log.finish();
    expect(released).toEqual([1, 2, 1, 1]);
  });

  test('stop -> waits for the writes', async () => {
    const { log, persist } = loop();
    persist.push(write(1, [10]));
    let stopped = false;
    const stopping = persist.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(stopped).toBe(false);
    await log.finish();
    await stopping;
  });

  test.each(['before', 'during'])('stop, the store failing %s -> resolves', async (when) => {
    const { log, persist, failures } = loop();
    persist.push(write(1, []));
    if (when === 'before') await log.break('disk');
    const stopping = persist.stop();
    if (when === 'during') await log.break('disk');
    await stopping;
    expect(failures).toEqual(['disk']);
  });
});

describe('a snapshot among the writes', () => {
  const snapshot = {
    last: { term: 1, index: 9 },
    configuration: { voters: [1] },
    data: new Uint8Array(0),
  };

  function world() {
    const log = new SlowLog();
    const released: number[] = [];
    const failures: unknown[] = [];
    const installs: Deferred<void>[] = [];
    const written: StorageAppend[] = [];
    const persist = new PersistLoop(log, {
      onWritten: (append) => written.push(append),
      onDurable: (responses) => released.push(...responses.map((response) => response.term)),
      install: () => {
        const install = new Deferred<void>();
        installs.push(install);
        return install.promise;
      },
      onFailed: (error) => failures.push(error),
    });
    return { failures, installs, log, persist, released, written };
  }

  test('installed behind the writes before it, and before those after it are even written', async () => {
    const { installs, log, persist, released } = world();
    persist.push(write(1, [1]));
    persist.push({ ...write(10, [2]), snapshot });
    persist.push(write(11, [3]));
    persist.push({ ...write(20, [4]), snapshot });
    persist.push(write(21, [5]));
    await settle();
    expect([log.writes.length, installs.length]).toEqual([1, 0]);
    await log.finish();
    expect([log.writes.length, installs.length, released]).toEqual([1, 1, [1]]);
    installs[0]?.resolve();
    await settle();
    expect([log.writes.length, installs.length, released]).toEqual([2, 1, [1, 2]]);
    await log.finish();
    installs[1]?.resolve();
    await settle();
    expect([log.writes.length, installs.length, released]).toEqual([3, 2, [1, 2, 3, 4]]);
    await log.finish();
    expect(released).toEqual([1, 2, 3, 4, 5]);
    persist.push(write(22, [6]));
    await log.finish();
    expect(released).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('the same pledges again while it is installed -> released once, each write reported', async () => {
    const { installs, log, persist, released, written } = world();
    const again: StorageAppend = { entries: [], mustSync: false, responses: [pledge(3)] };
    persist.push({ ...write(10, [2]), snapshot });
    // An install that waits for space does so for hours, and the leader asks with each heartbeat.
    for (let nth = 0; nth < 1_000; nth += 1) persist.push({ ...again, responses: [pledge(3)] });
    persist.push(write(11, [4]));
    await settle();
    installs[0]?.resolve();
    await settle();
    expect([log.writes.length, persist.isBusy, persist.done]).toEqual([2, true, 0]);
    await log.finish();
    await log.finish();
    expect(released).toEqual([2, 3, 4]);
    expect([persist.isBusy, persist.done, written.length]).toEqual([false, 1_001, 1_002]);
  });

  test('an install that fails -> told once, nothing behind it is written or released', async () => {
    const { failures, installs, log, persist, released } = world();
    persist.push({ ...write(10, [2]), snapshot });
    persist.push(write(11, [3]));
    await settle();
    installs[0]?.reject(new Error('no'));
    await settle();
    expect([failures.length, log.writes.length, released]).toEqual([1, 0, []]);
    await persist.stop();
  });
});
