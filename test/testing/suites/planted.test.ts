// Goal: the conformance suites fail for implementations that are wrong in one thing, and in no other test.
import { expect, test } from 'vitest';
import type { BinaryString } from '../../../src/base/bytes.js';
import type { LogId } from '../../../src/raft/types.js';
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
