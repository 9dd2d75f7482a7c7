/** A home of states in memory: for members that may forget everything, and for tests. */
import type { Backend } from '../../mvcc/backend.js';
import type { StateHome, StateLoad } from '../../mvcc/state-home.js';
import type { KvEngine } from '../kv-engine.js';
import { StateLoader } from '../state-loader.js';
import { MemoryEngine } from './kv-engine.js';

/** @since 0.1.0 */
export class MemoryStateHome implements StateHome {
  readonly #openBackend: (engine: KvEngine) => Promise<Backend>;
  readonly #newEngine: () => KvEngine;

  /**
   * @param openBackend - opens an engine with a whole state in it, which the backend then owns
   * @param newEngine - makes an empty engine; default a `MemoryEngine`
   */
  constructor(
    openBackend: (engine: KvEngine) => Promise<Backend>,
    newEngine: () => KvEngine = () => new MemoryEngine(),
  ) {
    this.#openBackend = openBackend;
    this.#newEngine = newEngine;
  }

  async load(appliedIndex: number): Promise<StateLoad> {
    const engine = this.#newEngine();
    const loader = await StateLoader.begin(engine);
    return {
      add: (records) => loader.add(records),
      finish: async () => {
        await loader.finish(appliedIndex);
        return this.#openBackend(engine);
      },
      discard: () => engine.close().catch(() => undefined),
    };
  }

  async retire(): Promise<void> {}
}
