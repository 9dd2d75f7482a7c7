/**
 * A plain machine as a replicated one: commands carry the name of their request, and the state is
 * written to a file now and then, so that logs are cut and members that fell behind get snapshots.
 */
import { concatBytes } from '../../base/bytes.js';
import type { ApplyResult, Entry, StateMachine, StateSnapshot } from '../../node/index.js';
import { namedCommandOf } from '../../node/named-command.js';
import type { FileSystem } from '../../storage/file-system.js';
import type { PlainMachine } from './machine-spec.js';
import { type StoredState, writePlainState } from './plain-state-file.js';

/** Entries after which the state is written again. */
const saveEvery = 32;

/** @since 0.1.0 */
export class PlainStateMachine implements StateMachine {
  readonly #machine: PlainMachine;
  readonly #fs: FileSystem;
  readonly #dir: string;
  #appliedIndex: number;
  #durableIndex: number;
  /** Ends with the last write of the state that was begun. */
  #saving: Promise<void> = Promise.resolve();
  #isSaving = false;

  /**
   * @param machine - in its initial state
   * @param place - where its state is written
   * @param stored - what was found there
   */
  constructor(
    machine: PlainMachine,
    place: { readonly fs: FileSystem; readonly dir: string },
    stored: StoredState | undefined,
  ) {
    this.#machine = machine;
    this.#fs = place.fs;
    this.#dir = place.dir;
    this.#appliedIndex = stored?.appliedIndex ?? 0;
    this.#durableIndex = this.#appliedIndex;
    if (stored !== undefined) machine.restore(stored.state);
  }

  get durableIndex(): number {
    return this.#durableIndex;
  }

  async open(): Promise<{ readonly appliedIndex: number }> {
    return { appliedIndex: this.#appliedIndex };
  }

  async apply(entries: readonly Entry[]): Promise<readonly ApplyResult[]> {
    const results = entries.map(({ data }) => this.#applyOne(data));
    this.#appliedIndex = entries.at(-1)?.index ?? this.#appliedIndex;
    if (!this.#isSaving && this.#appliedIndex - this.#durableIndex >= saveEvery) {
      this.#isSaving = true;
      const saved = () => {
        this.#isSaving = false;
      };
      // Nothing rests on it: the log is kept until a later write succeeds.
      this.flush().then(saved, saved);
    }
    return results;
  }

  flush(): Promise<void> {
    return this.#save({ appliedIndex: this.#appliedIndex, state: this.#state() });
  }

  snapshot(): StateSnapshot {
    let state: Uint8Array | undefined = this.#state();
    return {
      appliedIndex: this.#appliedIndex,
      next: async () => {
        const chunk = state;
        state = undefined;
        return chunk;
      },
      close: async () => undefined,
    };
  }

  async restore(appliedIndex: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk.slice());
    const state = concatBytes(parts);
    await this.#save({ appliedIndex, state });
    this.#machine.restore(state);
    this.#appliedIndex = appliedIndex;
  }

  async close(): Promise<void> {
    await this.#saving;
  }

  #applyOne(data: Uint8Array): ApplyResult {
    // A new leader's first entry holds no command.
    if (data.length === 0) return { value: undefined };
    const named = namedCommandOf(data);
    if (named === undefined) return { value: undefined };
    const { command, requestId } = named;
    return { requestId, value: present(this.#machine.apply(command.slice()), 'apply') };
  }

  /** A state that could not be written would be no error of the disk, and would pass for one. */
  #state(): Uint8Array {
    const state: unknown = present(this.#machine.snapshot(), 'snapshot');
    if (state instanceof Uint8Array) return state;
    throw new TypeError('Expected snapshot of the machine to give bytes');
  }

  /** One write after the other. */
  #save(stored: StoredState): Promise<void> {
    const written = this.#saving.then(async () => {
      await writePlainState(this.#fs, this.#dir, stored);
      this.#durableIndex = Math.max(this.#durableIndex, stored.appliedIndex);
    });
    this.#saving = written.catch(() => undefined);
    return written;
  }
}

/** An answer that is there already: what is done later could come after the next command, or a snapshot. */
function present(answer: unknown, of: 'apply' | 'snapshot'): unknown {
  const { then } = (answer ?? {}) as Partial<PromiseLike<unknown>>;
  if (typeof then !== 'function') return answer;
  // Nobody else waits for it, and it may reject.
  then.call(answer, undefined, () => undefined);
  throw new TypeError(`Expected ${of} of the machine to answer at once, got a promise`);
}
