// A user's machine with a file of its own, as `openNode` replicates it, on virtual machines that crash.
import { expect, test } from 'vitest';
import { utf8Bytes, utf8Text } from '../../src/base/bytes.js';
import {
  type CommandEntry,
  type CommandMachine,
  NamedCommandMachine,
} from '../../src/node/command-machine.js';
import { nameCommand } from '../../src/node/named-command.js';
import type { FileSystem } from '../../src/storage/file-system.js';
import { type ReplicatedMachineSpec, simulate } from '../../src/testing/index.js';
import { readPlainState, writePlainState } from '../../src/testing/machine/plain-state-file.js';
import { type Add, type SumsByKey, sums } from '../testing/machine/sums.js';

const depth = Number(process.env.KONTIKI_DEPTH ?? 1);

/** Sums by key; answers the new sum. */
class Sums implements CommandMachine<number> {
  durableIndex = 0;
  #applied = 0;
  #sums = new Map<string, number>();
  #saving: Promise<void> = Promise.resolve();
  readonly #fs: FileSystem;
  readonly #dir: string;

  constructor(fs: FileSystem, dir: string) {
    this.#fs = fs;
    this.#dir = dir;
  }

  async open() {
    const stored = await readPlainState(this.#fs, this.#dir);
    if (stored !== undefined) this.#take(stored.appliedIndex, stored.state);
    this.durableIndex = this.#applied;
    return { appliedIndex: this.#applied };
  }

  async apply(entries: readonly CommandEntry[]) {
    const answers = entries.map(({ command }) => {
      if (command === undefined) return undefined;
      const { key, by } = JSON.parse(utf8Text(command)) as { key: string; by: number };
      const sum = (this.#sums.get(key) ?? 0) + by;
      this.#sums.set(key, sum);
      return sum;
    });
    this.#applied = entries.at(-1)?.index ?? this.#applied;
    if (this.#applied - this.durableIndex > 20) await this.flush();
    return answers;
  }

  flush(): Promise<void> {
    return this.#save(this.#applied, this.#bytes());
  }

  snapshot() {
    const parts = [this.#bytes()];
    return {
      appliedIndex: this.#applied,
      next: async () => parts.pop(),
      close: async () => undefined,
    };
  }

  async restore(appliedIndex: number, chunks: AsyncIterable<Uint8Array>) {
    let text = '';
    for await (const chunk of chunks) text += utf8Text(chunk);
    await this.#save(appliedIndex, utf8Bytes(text));
    this.#take(appliedIndex, utf8Bytes(text));
  }

  async close() {
    await this.#saving.catch(() => undefined);
  }

  #bytes = () => utf8Bytes(JSON.stringify([...this.#sums]));

  #take(appliedIndex: number, state: Uint8Array): void {
    this.#applied = appliedIndex;
    this.#sums = new Map(JSON.parse(utf8Text(state)));
  }

  #save(appliedIndex: number, state: Uint8Array): Promise<void> {
    this.#saving = this.#saving.then(async () => {
      await writePlainState(this.#fs, this.#dir, { appliedIndex, state });
      this.durableIndex = Math.max(this.durableIndex, appliedIndex);
    });
    return this.#saving;
  }
}

const spec: ReplicatedMachineSpec<SumsByKey, Add, number> = {
  open: async ({ fs }, dir = '') => {
    const machine = new NamedCommandMachine(new Sums(fs, dir));
    return { machine, ...(await machine.open()) };
  },
  encode: (input, id) => nameCommand(utf8Bytes(JSON.stringify(input)), id),
  ...sums,
};

const seeds = Array.from({ length: Math.max(1, Math.round(2 * depth)) }, (_, nth) => nth + 1);

test.each(seeds)(
  'crashes, cuts and lost writes, seed %i -> every answer is right',
  async (seed) => {
    const run = await simulate({ seed, machine: spec, duration: '4s' });
    run.assert();
    expect(run.figures.calls).toBeGreaterThan(0);
  },
);
