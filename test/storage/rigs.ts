/** Media for the conformance suites: memory, a virtual machine's disk, a folder of this machine. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import type { Env } from '../../src/node/index.js';
import type { FileSystem } from '../../src/storage/file-system.js';
import { nodeFileSystem } from '../../src/storage/node-fs/index.js';
import type { SimMachine, SuiteRig, TestRunner } from '../../src/testing/index.js';
import { Simulator } from '../../src/testing/index.js';

export const runner: TestRunner = {
  describe: (name, body) => void describe(name, body),
  test: (name, body) => void test(name, body),
  skip: (name, reason) => void test.skip(`${name} (skipped because ${reason})`, () => {}),
};

/** A part in memory that loses what was not synced. */
export function memoryRig<T extends { crash(): void; reopen(): T }>(first: T): SuiteRig<T> {
  let part: T | undefined;
  return {
    open: async () => {
      part = part === undefined ? first : part.reopen();
      return part;
    },
    crash: () => part?.crash(),
  };
}

/** A part on the disk of a virtual machine; `seed` decides what a power loss leaves. */
export function simRig<T>(
  seed: number,
  open: (machine: SimMachine, env: Env) => Promise<T>,
): SuiteRig<T> {
  const sim = new Simulator({ seed, traceLines: 0 });
  const machine = sim.machine('n1');
  let env = machine.boot();
  return {
    open: () => open(machine, env),
    crash: () => {
      machine.crash('power');
      env = machine.boot();
    },
    step: () => {
      let isFirst = true;
      return sim.scheduler.runTo(sim.scheduler.nowUs + 1_000_000, () => {
        const stop = !isFirst;
        isFirst = false;
        return stop;
      });
    },
    settle: (promise) => sim.complete(promise, 60_000),
  };
}

/** A part in a folder of its own. Nobody can cut the power of this machine. */
export async function folderRig<T>(
  open: (folder: string, fs: FileSystem) => Promise<T>,
): Promise<SuiteRig<T>> {
  const folder = await mkdtemp(join(tmpdir(), 'kontiki-suite-'));
  return {
    open: () => open(folder, nodeFileSystem),
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}
