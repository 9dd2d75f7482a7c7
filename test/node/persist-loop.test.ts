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

  test('the pledges are not part of what is written', () => {
    const { log, persist } = loop();
    persist.push(write(1, [10], committed(0)));
    expect(log.writes).toEqual([{ entries: [entry(1)], mustSync: true, hardState: committed(0) }]);
  });

  test('a commit index alone: no write; the newest travels with the next one, once', async () => {
    const { log, persist } = loop();
    persist.push(moved(1));
    persist.push(moved(2));
    expect(log.writes).toEqual([]);
    persist.push(write(3, []));
    persist.push(write(4, []));
    expect(log.writes.map(({ hardState }) => hardState)).toEqual([committed(2), undefined]);
  });

  test('a later hard state of a write of its own: the deferred one is forgotten', () => {
    const { log, persist } = loop();
    persist.push(moved(1));
    persist.push(write(2, [], { term: 5, vote: 2, commit: 1 }));
    persist.push(write(3, []));
    expect(log.writes.map(({ hardState }) => hardState?.term)).toEqual([5, undefined]);
  });

  test('pledges alone: at once when nothing is being written, else behind it', async () => {
    const { log, persist, released } = loop();
    persist.push(pledges(10));
    expect(released).toEqual([10]);
    persist.push(write(1, [11]));
    persist.push(write(2, [12]));
    persist.push(pledges(13));
    persist.push(moved(2, [14]));
    await log.finish();
    expect(released).toEqual([10, 11]);
    await log.finish();
    expect(released).toEqual([10, 11, 12, 13, 14]);
    persist.push(pledges(15));
    expect(released.at(-1)).toBe(15);
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

  test('stop: waits for the writes, then writes the deferred commit index', async () => {
    const { log, persist } = loop();
    persist.push(write(1, [10]));
    persist.push(moved(1));
    let stopped = false;
    const stopping = persist.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect([log.writes.length, stopped]).toEqual([1, false]);
    await log.finish();
    expect(log.writes[1]).toEqual({ entries: [], mustSync: true, hardState: committed(1) });
    expect(stopped).toBe(false);
    await log.finish();
    await stopping;
  });

  test('stop with nothing deferred: writes nothing', async () => {
    const { log, persist } = loop();
    await persist.stop();
    expect(log.writes).toEqual([]);
  });

  test.each(['before', 'during'])('stop, the store failing %s: resolves', async (when) => {
    const { log, persist, failures } = loop();
    persist.push(write(1, []));
    persist.push(moved(1));
    if (when === 'before') await log.break('disk');
    const stopping = persist.stop();
    if (when === 'during') await log.break('disk');
    await stopping;
    expect(failures).toEqual(['disk']);
    expect(log.writes).toHaveLength(1);
  });

  test('stop, the write of the commit index failing: resolves', async () => {
    const { log, persist } = loop();
    persist.push(moved(1));
    const stopping = persist.stop();
    await settle();
    expect(log.writes).toHaveLength(1);
    await log.break('disk');
    await stopping;
  });
});
