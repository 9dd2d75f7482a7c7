/**
 * The keyspace as a stream of bytes and back: what the store's snapshots hold.
 */
import { replaceAdvice } from '../base/advice.js';
import { kontikiError } from '../base/errors.js';
import { encodeStatePart } from '../codec/state-part-codec.js';
import { StateRecordsReader } from '../codec/state-records.js';
import type { Backend, StateView } from '../mvcc/backend.js';
import type { StateHome, StateLoad } from '../mvcc/state-home.js';
import type { StateSnapshot } from '../node/index.js';

/** Records asked of the view at a time: small enough that one part stays well below its limit. */
const recordsPerPart = 256;
const partBytesAim = 256 * 1024;

/**
 * A captured state as a {@link StateSnapshot}.
 *
 * @since 0.1.0
 */
export class StateStream implements StateSnapshot {
  readonly #view: StateView;
  #count = 0;
  #state: 'begin' | 'records' | 'end' | 'done' = 'begin';
  #left: Awaited<ReturnType<StateView['next']>> = [];

  /** @param view - owned by the stream */
  constructor(view: StateView) {
    this.#view = view;
  }

  get appliedIndex(): number {
    return this.#view.appliedIndex;
  }

  /** @throws {KontikiError} STATE_CORRUPT, STORAGE_IO, CLOSED */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#state === 'begin') {
      this.#state = 'records';
      return encodeStatePart({ kind: 'begin', appliedIndex: this.appliedIndex });
    }
    if (this.#state === 'records') {
      if (this.#left.length === 0) this.#left = await this.#view.next(recordsPerPart);
      if (this.#left.length > 0) return this.#records();
      this.#state = 'end';
    }
    if (this.#state === 'done') return undefined;
    this.#state = 'done';
    return encodeStatePart({ kind: 'end', count: this.#count });
  }

  close(): Promise<void> {
    return this.#view.close();
  }

  /** As many of the records at hand as make a part of a fair size; at least one. */
  #records(): Uint8Array {
    const all = this.#left;
    let end = 0;
    for (let bytes = 0; end < all.length && bytes < partBytesAim; end += 1) {
      const [key, value] = all[end] as (typeof all)[number];
      bytes += key.length + value.length;
    }
    const records = end === all.length ? all : all.slice(0, end);
    this.#left = end === all.length ? [] : all.slice(end);
    this.#count += end;
    return encodeStatePart({ kind: 'records', records });
  }
}

/**
 * Loads a stream as a new state, and puts it in the place of the present one.
 *
 * @param home - where the state lives
 * @param appliedIndex - what the stream must be of
 * @param chunks - the stream, cut anywhere
 * @returns the new backend, opened
 * @throws {KontikiError} SNAPSHOT_CORRUPT, FORMAT_UNSUPPORTED, NO_SPACE, STORAGE_IO; the present state
 *   is untouched then, unless the switch itself failed
 * @since 0.1.0
 */
export async function loadState(
  home: StateHome,
  appliedIndex: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Backend> {
  const load = await home.load(appliedIndex);
  try {
    await fill(load, appliedIndex, chunks);
  } catch (error) {
    await load.discard();
    throw error;
  }
  return load.finish();
}

async function fill(
  load: StateLoad,
  appliedIndex: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  let offset = 0;
  const reader = new StateRecordsReader(appliedIndex, (problem) => {
    const message = `the snapshot of entry ${appliedIndex} is no state: ${problem}; ${replaceAdvice}`;
    return kontikiError('SNAPSHOT_CORRUPT', message, { file: `${appliedIndex}`, offset });
  });
  for await (const chunk of chunks) {
    reader.push(chunk);
    for (let records = reader.next(); records !== undefined; records = reader.next()) {
      const room = load.add(records);
      if (room !== undefined) await room;
    }
    offset += chunk.length;
  }
  reader.end();
}
