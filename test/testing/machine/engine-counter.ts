/** A counter that keeps its state in an engine, as a whole `StateMachine`. */
import { getUint53, setUint53 } from '../../../src/base/integers.js';
import type { ApplyResult, Entry, StateMachine } from '../../../src/node/index.js';
import type { KvEngine } from '../../../src/storage/index.js';
import { type ReplicatedMachineSpec, randomInt } from '../../../src/testing/index.js';

type Batches = 'one batch' | 'two batches';

function bytesOf(...numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * numbers.length);
  for (const [at, number] of numbers.entries()) setUint53(bytes, 8 * at, number);
  return bytes;
}

class EngineCounter implements StateMachine {
  readonly #engine: KvEngine;
  readonly #batches: Batches;
  #state: { appliedIndex: number; sum: number };

  constructor(engine: KvEngine, batches: Batches, state: { appliedIndex: number; sum: number }) {
    this.#engine = engine;
    this.#batches = batches;
    this.#state = state;
  }

  get durableIndex(): number {
    return this.#state.appliedIndex;
  }

  async open(): Promise<{ readonly appliedIndex: number }> {
    return this.#state;
  }

  async apply(entries: readonly Entry[]): Promise<readonly ApplyResult[]> {
    const results = entries.map(({ data, index }): ApplyResult => {
      const sum = this.#state.sum + (data.length === 0 ? 0 : getUint53(data, 16));
      this.#state = { appliedIndex: index, sum };
      if (data.length === 0) return { value: undefined };
      return { requestId: { session: getUint53(data, 0), seq: getUint53(data, 8) }, value: sum };
    });
    const pairs = [
      ['sum', bytesOf(this.#state.sum)],
      ['index', bytesOf(this.#state.appliedIndex)],
    ] as const;
    if (this.#batches === 'one batch') await this.#engine.write(pairs, { sync: true });
    else for (const pair of pairs) await this.#engine.write([pair], { sync: true });
    return results;
  }

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    await this.#engine.close();
  }
}

/** A sum that each command adds to. */
export function engineCounter(batches: Batches): ReplicatedMachineSpec<number, number, number> {
  return {
    async open({ openEngine }, dir = '') {
      const engine = await openEngine(`${dir}/counter`);
      const [sum, index] = await engine.getMany(['sum', 'index']);
      const state = {
        appliedIndex: index === undefined ? 0 : getUint53(index, 0),
        sum: sum === undefined ? 0 : getUint53(sum, 0),
      };
      return { machine: new EngineCounter(engine, batches, state), ...state };
    },
    encode: (input, { session, seq }) => bytesOf(session, seq, input),
    draw: (random) => randomInt(random, 100),
    model: {
      initial: () => 0,
      execute: (state, input) => ({ state: state + input, answer: state + input }),
    },
  };
}
