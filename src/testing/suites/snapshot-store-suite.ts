/** Holds an implementation of `SnapshotStore` to the contract. */
import { assert } from '../../base/assert.js';
import { concatBytes } from '../../base/bytes.js';
import { Prng, randomInt } from '../../base/prng.js';
import type { ConfState } from '../../raft/configuration.js';
import type { LogId } from '../../raft/types.js';
import type { SnapshotMeta, SnapshotStore } from '../../storage/snapshot-store.js';
import { checkRejects, checkSame, patternBytes } from './check.js';
import {
  Bench,
  crashAtEachStep,
  registerSuite,
  runsDefault,
  type SeededTest,
  type SuiteOptions,
  type SuiteTest,
} from './suite.js';

type Rig = Bench<SnapshotStore>;

const configuration: ConfState = {
  voters: [1, 2, 2 ** 53 - 1],
  votersOutgoing: [1, 4],
  learners: [7],
  learnersNext: [4],
  autoLeave: true,
};

const at = (index: number, term = 3): LogId => ({ term, index });

/** Writes a snapshot and commits it. */
async function put(
  bench: Rig,
  store: SnapshotStore,
  last: LogId,
  chunks: readonly Uint8Array[],
): Promise<SnapshotMeta> {
  const sink = await bench.run(store.create(last, configuration));
  for (const chunk of chunks) await bench.run(sink.write(chunk));
  return bench.run(sink.commit());
}

async function readAll(bench: Rig, store: SnapshotStore, meta: SnapshotMeta): Promise<Uint8Array> {
  const iterator = store.read(meta)[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await bench.run(iterator.next());
    if (done === true) return concatBytes(chunks);
    chunks.push(value);
  }
}

async function indexes(bench: Rig, store: SnapshotStore): Promise<number[]> {
  return (await bench.run(store.list())).map(({ last }) => last.index);
}

/** Bytes that only the snapshot of this index has. */
const contentOf = (index: number): Uint8Array => patternBytes(3_000 + index, index);

/** Every snapshot of the list is whole and is what was written under its id. */
async function checkWhole(bench: Rig, store: SnapshotStore): Promise<void> {
  for (const meta of await bench.run(store.list())) {
    const bytes = await readAll(bench, store, meta);
    checkSame(bytes, contentOf(meta.last.index), `snapshot ${meta.last.index}`);
    checkSame(meta.size, bytes.length, 'its size');
    checkSame(meta.configuration, configuration, 'its configuration');
  }
}

const basics: Readonly<Record<string, SuiteTest<SnapshotStore>>> = {
  'a new store -> no snapshot': async (bench) => {
    const store = await bench.open();
    checkSame(await bench.run(store.latest()), undefined, 'latest');
    checkSame(await bench.run(store.list()), [], 'list');
    await bench.run(store.prune());
  },

  'a committed snapshot -> its bytes, id, size and whole configuration': async (bench) => {
    const store = await bench.open();
    const chunks = [patternBytes(10, 1), patternBytes(0, 2), patternBytes(70_000, 3)];
    const meta = await put(bench, store, at(5), chunks);
    checkSame(meta, { last: at(5), configuration, size: 70_010 }, 'what commit gives');
    checkSame(await bench.run(store.latest()), meta, 'latest');
    checkSame(await readAll(bench, store, meta), concatBytes(chunks), 'its bytes');
  },

  'a snapshot without a byte, and one of some megabytes -> read back': async (bench) => {
    const store = await bench.open();
    const empty = await put(bench, store, at(1), []);
    checkSame((await readAll(bench, store, empty)).length, 0, 'bytes');
    const large = patternBytes(3 * 1024 * 1024 + 17, 5);
    const meta = await put(bench, store, at(2), [large]);
    const found = await readAll(bench, store, meta);
    assert(found.length === large.length, `${large.length} bytes, got ${found.length}`);
    for (let i = 0; i < found.length; i += 1) assert(found[i] === large[i], `byte ${i} differs`);
  },

  'a chunk is changed after write settled -> the snapshot is not': async (bench) => {
    const store = await bench.open();
    const sink = await bench.run(store.create(at(1), configuration));
    const chunk = patternBytes(100, 1);
    await bench.run(sink.write(chunk));
    chunk.fill(0);
    const meta = await bench.run(sink.commit());
    checkSame(await readAll(bench, store, meta), patternBytes(100, 1), 'its bytes');
  },

  'several -> newest first by index, whatever the order of the commits': async (bench) => {
    const store = await bench.open();
    for (const index of [16, 3, 255]) await put(bench, store, at(index), [contentOf(index)]);
    checkSame(await indexes(bench, store), [255, 16, 3], 'list');
    checkSame((await bench.run(store.latest()))?.last, at(255), 'latest');
    await checkWhole(bench, store);
  },

  'the same id again -> replaced': async (bench) => {
    const store = await bench.open();
    await put(bench, store, at(4), [patternBytes(5, 1)]);
    const meta = await put(bench, store, at(4), [patternBytes(9, 2)]);
    checkSame(await indexes(bench, store), [4], 'list');
    checkSame(await readAll(bench, store, meta), patternBytes(9, 2), 'its bytes');
  },

  'prune -> the newest stays; remove -> that one is gone': async (bench) => {
    const store = await bench.open();
    for (const index of [1, 2, 3, 4]) await put(bench, store, at(index), [contentOf(index)]);
    const [newest, second] = await bench.run(store.list());
    await bench.run(store.prune());
    const left = await indexes(bench, store);
    checkSame(left[0], 4, 'the newest');
    assert(left.length < 4, 'prune removes some of four');
    checkSame(left, [4, 3, 2, 1].slice(0, left.length), 'the newest ones stay');
    await checkWhole(bench, store);
    await bench.run(store.remove(second as SnapshotMeta));
    await bench.run(store.remove(newest as SnapshotMeta));
    await bench.run(store.remove(newest as SnapshotMeta));
    checkSame(await indexes(bench, store), left.slice(2), 'list');
  },

  'a reader -> beside a sink, other readers and prune': async (bench) => {
    const store = await bench.open();
    const meta = await put(bench, store, at(1), [patternBytes(2_000, 1), patternBytes(2_000, 2)]);
    const iterator = store.read(meta)[Symbol.asyncIterator]();
    const first = await bench.run(iterator.next());
    await put(bench, store, at(2), [contentOf(2)]);
    await bench.run(store.prune());
    const chunks = [first.value as Uint8Array];
    for (;;) {
      const { done, value } = await bench.run(iterator.next());
      if (done === true) break;
      chunks.push(value);
    }
    checkSame(concatBytes(chunks).length, 4_000, 'bytes');
    const again = store.read({ ...meta, last: at(2) })[Symbol.asyncIterator]();
    await bench.run(again.next());
    await bench.run(again.return?.() ?? Promise.resolve(undefined));
    checkSame((await bench.run(again.next())).done, true, 'after return');
    await bench.run(store.prune());
  },
};

const rules: Readonly<Record<string, SuiteTest<SnapshotStore>>> = {
  'before commit -> not there; discarded -> never there, and room for the next': async (bench) => {
    const store = await bench.open();
    const sink = await bench.run(store.create(at(1), configuration));
    await bench.run(sink.write(contentOf(1)));
    checkSame(await indexes(bench, store), [], 'list');
    await checkRejects(
      () => bench.run(store.create(at(2), configuration)),
      ['ARGUMENT_INVALID'],
      'a second sink',
    );
    await bench.run(sink.discard());
    await bench.run(sink.discard());
    await checkRejects(() => bench.run(sink.write(contentOf(1))), ['CLOSED'], 'a discarded sink');
    checkSame(await indexes(bench, store), [], 'list');
    await put(bench, store, at(2), [contentOf(2)]);
    await checkWhole(bench, store);
  },

  'after commit -> the sink refuses, discard does nothing': async (bench) => {
    const store = await bench.open();
    const sink = await bench.run(store.create(at(1), configuration));
    await bench.run(sink.write(contentOf(1)));
    await bench.run(sink.commit());
    await checkRejects(() => bench.run(sink.write(contentOf(1))), ['CLOSED'], 'write');
    await checkRejects(() => bench.run(sink.commit()), ['CLOSED'], 'commit');
    await bench.run(sink.discard());
    checkSame(await indexes(bench, store), [1], 'list');
    await checkWhole(bench, store);
  },

  'a snapshot that does not exist -> ARGUMENT_INVALID': async (bench) => {
    const store = await bench.open();
    const meta = await put(bench, store, at(1), [contentOf(1)]);
    const read = () => readAll(bench, store, { ...meta, last: at(1, 4) });
    await checkRejects(read, ['ARGUMENT_INVALID'], 'read');
  },

  'close -> discards what is being written, refuses, and all is there again': async (bench) => {
    const store = await bench.open();
    await put(bench, store, at(1), [contentOf(1)]);
    await put(bench, store, at(2), [contentOf(2)]);
    const sink = await bench.run(store.create(at(3), configuration));
    await bench.run(sink.write(contentOf(3)));
    await bench.run(store.close());
    await bench.run(store.close());
    await checkRejects(() => bench.run(store.latest()), ['CLOSED'], 'latest');
    await checkRejects(() => bench.run(store.create(at(9), configuration)), ['CLOSED'], 'create');
    const next = await bench.open();
    checkSame(await indexes(bench, next), [2, 1], 'list');
    await checkWhole(bench, next);
    await bench.run(next.close());
  },
};

const crashes = (runs: number): Readonly<Record<string, SeededTest<SnapshotStore>>> => ({
  'power loss: a committed snapshot -> there and whole': {
    runs,
    body: async (bench) => {
      const store = await bench.open();
      await put(bench, store, at(1), [contentOf(1)]);
      await put(bench, store, at(2), [contentOf(2)]);
      const next = await bench.crash();
      checkSame(await indexes(bench, next), [2, 1], 'list');
      await checkWhole(bench, next);
    },
  },

  'power loss: in the middle of writing -> no trace, and room for the next': {
    runs,
    body: async (bench, seed) => {
      const store = await bench.open();
      await put(bench, store, at(1), [contentOf(1)]);
      const sink = await bench.run(store.create(at(2), configuration));
      const writes = randomInt(new Prng(seed), 4);
      for (let n = 0; n < writes; n += 1) await bench.run(sink.write(contentOf(n)));
      const next = await bench.crash();
      checkSame(await indexes(bench, next), [1], 'list');
      await put(bench, next, at(2), [contentOf(2)]);
      checkSame(await indexes(bench, next), [2, 1], 'list');
      await checkWhole(bench, next);
    },
  },
});

/** Between any two effects of making a snapshot: the old ones, and the new one whole or not at all. */
const atEachStep = (factory: SuiteOptions<SnapshotStore>['factory']): SuiteTest<SnapshotStore> => {
  return async (_bench, seed) => {
    await crashAtEachStep(
      async () => {
        const bench = new Bench(await factory(seed));
        const part = await bench.open();
        await put(bench, part, at(1), [contentOf(1)]);
        return { bench, part };
      },
      async (store) => {
        const sink = await store.create(at(2), configuration);
        await sink.write(contentOf(2));
        await sink.commit();
        await store.prune();
      },
      async (store, isDone, bench) => {
        const left = await indexes(bench, store);
        assert(left.length > 0 && (left[0] === 2 || !isDone), `after the crash: ${left.join()}`);
        await checkWhole(bench, store);
        await put(bench, store, at(2), [contentOf(2)]);
        checkSame((await bench.run(store.latest()))?.last, at(2), 'latest');
        await checkWhole(bench, store);
      },
    );
  };
};

/**
 * Registers the conformance tests of a `SnapshotStore`.
 *
 * @param options - what to test, and on what
 * @since 0.1.0
 * @example
 * snapshotStoreSuite({
 *   runner: { describe, test },
 *   name: 'my snapshots',
 *   factory: () => ({ open: () => MySnapshots.open(folder) }),
 *   skip: [{ test: '...', reason: 'memory only' }],
 * });
 */
export function snapshotStoreSuite(options: SuiteOptions<SnapshotStore>): void {
  const runs = options.runs ?? runsDefault;
  registerSuite(options, {
    ...basics,
    ...rules,
    ...crashes(runs),
    'power loss: before and after each effect of a snapshot -> old or new, whole': {
      runs: Math.max(1, Math.floor(runs / 5)),
      body: atEachStep(options.factory),
    },
  });
}
