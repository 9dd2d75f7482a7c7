// Goal: the conformance suites fail for implementations that are wrong in one thing, and in no other test.
import { expect, test } from 'vitest';
import type { BinaryString } from '../../../src/base/bytes.js';
import type { LogId } from '../../../src/raft/types.js';
import type {
  EngineBatch,
  EngineIterator,
  EngineWriteOptions,
  KeyRange,
} from '../../../src/storage/kv-engine.js';
import type { LogBatch } from '../../../src/storage/log-store.js';
import { MemoryEngine } from '../../../src/storage/memory/kv-engine.js';
import { MemoryLogStore } from '../../../src/storage/memory/log-store.js';
import {
  engineSuite,
  logStoreSuite,
  type TestRunner,
  transportSuite,
} from '../../../src/testing/index.js';
import { memoryRig } from '../../storage/rigs.js';
import { MemoryWorld, realRig } from '../../transport/worlds.js';

/** Names of the tests of a suite that fail, among those whose name begins with `only`. */
async function failuresOf(register: (runner: TestRunner) => void, only = ''): Promise<string[]> {
  const tests: [name: string, body: () => Promise<void>][] = [];
  register({
    describe: (_, body) => body(),
    test: (name, body) => void tests.push([name, body]),
  });
  const failed: string[] = [];
  for (const [name, body] of tests) {
    if (name.startsWith(only)) await body().catch(() => failed.push(name));
  }
  return failed;
}

/** What a process leaves to the next one is of the same class. */
function heir<T extends object>(next: T, one: T): T {
  return Object.setPrototypeOf(next, Object.getPrototypeOf(one));
}

class ForgetfulSnapshots extends MemoryLogStore {
  override append(batch: LogBatch): Promise<void> {
    return super.append({ ...batch, mustSync: batch.snapshot === undefined });
  }

  override reopen(): MemoryLogStore {
    return heir(super.reopen(), this);
  }
}

class ForgetfulInstalls extends MemoryLogStore {
  done?: LogId;

  override get installing() {
    return this.done === undefined ? super.installing : undefined;
  }

  override async installed(last: LogId): Promise<void> {
    this.done = last;
  }

  override async close(): Promise<void> {
    if (this.done !== undefined) super.installed(this.done).catch(() => undefined);
    await super.close();
  }

  override reopen(): MemoryLogStore {
    return heir(super.reopen(), this);
  }
}

class BlindEngine extends MemoryEngine {
  override async getMany(keys: readonly BinaryString[]) {
    return super.getNow(keys);
  }

  override getNow(keys: readonly BinaryString[]): readonly (Uint8Array | undefined)[] {
    return super.getNow(keys).map(() => undefined);
  }

  override reopen(): MemoryEngine {
    return heir(super.reopen(), this);
  }
}

class LastingWorld extends MemoryWorld {
  override async make(member: number) {
    const transport = await super.make(member);
    transport.updatePeers = () => undefined;
    return transport;
  }
}

const installTest =
  'power loss: a snapshot in place of the log, and its install -> there once acknowledged';

test.each([
  ['the mark of a snapshot is not synced', () => new ForgetfulSnapshots({ voters: [1] })],
  ['the end of an install is not synced', () => new ForgetfulInstalls({ voters: [1] })],
])('a log: %s -> found', async (_, make) => {
  const factory = () => memoryRig<MemoryLogStore>(make());
  const failed = await failuresOf((runner) => logStoreSuite({ runner, name: 'log', factory }));
  expect(failed).toEqual([installTest]);
});

test('an engine: reads at once miss what is there -> found', async () => {
  const factory = () => memoryRig<MemoryEngine>(new BlindEngine());
  const failed = await failuresOf((runner) => engineSuite({ runner, name: 'engine', factory }));
  expect(failed).toEqual(['random batches, ranges and chunks -> as a plain map']);
});

test('a transport: who is removed keeps its links -> found', async () => {
  // What is wrong never comes, and is waited for: in turns, which are shorter than timers.
  const step = () => new Promise<boolean>((resolve) => setImmediate(() => resolve(true)));
  const factory = () => ({ ...realRig(new LastingWorld()), step });
  const name =
    'members: one that is not listed any more -> its links end both ways, nothing passes';
  const register = (runner: TestRunner) => transportSuite({ runner, name: 'mine', factory });
  expect(await failuresOf(register, 'members:')).toEqual([name]);
});

/** Starts with the voters of a snapshot, and nobody else. */
class VotersAlone extends MemoryLogStore {
  override initialState() {
    const { hardState, voters } = super.initialState();
    return { hardState, voters };
  }

  override reopen(): MemoryLogStore {
    return heir(super.reopen(), this);
  }
}

test('a log: learners and outgoing voters of a snapshot are forgotten -> found', async () => {
  const factory = () => memoryRig<MemoryLogStore>(new VotersAlone({ voters: [1] }));
  const failed = await failuresOf((runner) => logStoreSuite({ runner, name: 'log', factory }));
  expect(failed).toEqual([
    'a snapshot -> in place of the log, installing until installed',
    installTest,
  ]);
});

const turn = () => new Promise<boolean>((resolve) => setImmediate(() => resolve(true)));

/** Its cursors show the moment of their first page, and `getMany` that of the next microtask. */
class LateEngine extends MemoryEngine {
  override iterate(range: KeyRange): EngineIterator {
    let cursor: EngineIterator | undefined;
    return {
      next: (count) => {
        cursor ??= super.iterate(range);
        return cursor.next(count);
      },
      close: async () => cursor?.close(),
    };
  }

  override async write(batch: EngineBatch, options: EngineWriteOptions): Promise<void> {
    await turn();
    await super.write(batch, options);
  }

  override reopen(): MemoryEngine {
    return heir(super.reopen(), this);
  }
}

/** Shows what it has come to of a batch. */
class HalfEngine extends MemoryEngine {
  override async write(batch: EngineBatch, { sync, pause }: EngineWriteOptions): Promise<void> {
    for (const pair of batch) {
      await super.write([pair], { sync: false });
      await pause?.();
    }
    await super.write([], { sync });
  }

  override reopen(): MemoryEngine {
    return heir(super.reopen(), this);
  }
}

/** Answers `null` for what is not there, as some databases do. */
class NullEngine extends MemoryEngine {
  override async getMany(keys: readonly BinaryString[]) {
    return this.getNow(keys);
  }

  override getNow(keys: readonly BinaryString[]): readonly (Uint8Array | undefined)[] {
    return super.getNow(keys).map((value) => value ?? (null as unknown as undefined));
  }

  override reopen(): MemoryEngine {
    return heir(super.reopen(), this);
  }
}

test.each([
  ['a view begins with its first page', () => new LateEngine()],
  ['half a batch shows', () => new HalfEngine()],
  ['null is answered for what is not there', () => new NullEngine()],
])('an engine: %s -> found', async (_, make) => {
  const factory = () => ({ ...memoryRig<MemoryEngine>(make()), step: turn });
  const failed = await failuresOf((runner) => engineSuite({ runner, name: 'engine', factory }));
  expect(failed).not.toEqual([]);
});

test('a right engine that waits for I/O, on a rig without steps -> holds', async () => {
  class Waiting extends MemoryEngine {
    override async write(batch: EngineBatch, options: EngineWriteOptions): Promise<void> {
      await turn();
      await super.write(batch, options);
    }

    override reopen(): MemoryEngine {
      return heir(super.reopen(), this);
    }
  }
  const factory = () => memoryRig<MemoryEngine>(new Waiting());
  const register = (runner: TestRunner) =>
    engineSuite({ runner, name: 'engine', factory, runs: 1 });
  expect(await failuresOf(register)).toEqual([]);
});
