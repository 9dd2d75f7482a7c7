/**
 * Takes the snapshot that a leader streams here, one at a time, and stores it. The core hears of it
 * only when it is stored as a whole: what the core accepts it must be able to install.
 *
 *     receiving --last chunk stored--> stored --the core took it--> installing --> done
 *         '---> failed                    '-------- the core did not ----------------^
 */
import { isKontikiError } from '../base/errors.js';
import { getUint53, setUint53 } from '../base/integers.js';
import { limits } from '../base/limits.js';
import type { SnapshotAck, SnapshotChunk } from '../codec/wire-message.js';
import type { SnapshotRequest } from '../raft/messages.js';
import type { LogId } from '../raft/types.js';
import type { SnapshotMeta, SnapshotSink, SnapshotStore } from '../storage/snapshot-store.js';

/** @since 0.1.0 */
export interface SnapshotReceiverParts {
  readonly store: SnapshotStore;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** Whether a snapshot would bring this member anything. */
  readonly isNeeded: (last: LogId) => boolean;
  /** Hands an answer to the transport, which may lose it. */
  readonly send: (message: SnapshotAck) => void;
  /** The snapshot is stored, or not needed: the core may have the request. */
  readonly onStored: (request: SnapshotRequest) => void;
}

interface Receipt {
  /** The newest of its name. */
  request: SnapshotRequest;
  readonly id: number;
  state: 'receiving' | 'stored' | 'installing' | 'done' | 'failed';
  sink: SnapshotSink | undefined;
  /** When its leader last asked, or sent a chunk. */
  heardAtMs: number;
  /** Chunks taken, and of those stored. */
  accepted: number;
  stored: number;
}

/**
 * Without a request or a chunk for as long, what is being received is given up. A leader sends something
 * every half second, and after a failure or a broken link begins again within seconds; who comes later
 * begins anew.
 */
const leftAfterMs = 60_000;

/** @since 0.1.0 */
export class SnapshotReceiver {
  readonly #parts: SnapshotReceiverParts;
  #receipt: Receipt | undefined;
  /** What is done to the store, one after the other. Never rejects. */
  #work: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(parts: SnapshotReceiverParts) {
    this.#parts = parts;
  }

  /** A leader begins, or asks again. */
  onRequest(request: SnapshotRequest): void {
    const id = streamIdOf(request);
    if (id === undefined || this.#isStopped) return;
    const current = this.#receipt;
    if (current !== undefined) {
      if (current.id === id && isUnderWay(current, request)) {
        // The same bytes again, of the same file: they go on where they stopped.
        current.request = request;
        current.heardAtMs = this.#parts.nowMs();
        return this.#answer(current);
      }
      // It is the core's now. Silence lets the other leader ask again later.
      if (current.state === 'stored' || current.state === 'installing') return;
      this.#abandon(current);
    }
    const receipt: Receipt = {
      ...{ request, id, state: 'receiving', sink: undefined },
      ...{ heardAtMs: this.#parts.nowMs(), accepted: 0, stored: 0 },
    };
    this.#receipt = receipt;
    this.#do(receipt, () => this.#begin(receipt));
  }

  onChunk(chunk: SnapshotChunk): void {
    const receipt = this.#receipt;
    if (receipt === undefined || receipt.request.from !== chunk.from || receipt.id !== chunk.id) {
      const { from, id, term, to } = chunk;
      const known = { kind: 'snapshot-ack', from: to, to: from, term, id } as const;
      // Of another life of this member, or given up for another one.
      return this.#parts.send({ ...known, next: 0, state: 'failed' });
    }
    receipt.heardAtMs = this.#parts.nowMs();
    if (!isChunk(chunk)) return this.#refuse(receipt);
    const isNext = receipt.state === 'receiving' && chunk.at === receipt.accepted;
    const hasRoom = receipt.accepted - receipt.stored < 2 * limits.snapshotChunksInFlightMax;
    if (!isNext || !hasRoom) return this.#answer(receipt);
    receipt.accepted += 1;
    this.#do(receipt, () => this.#store(receipt, chunk));
  }

  /** The core was given the stored one; `last` is what it had installed, if anything. */
  stepped(installing: LogId | undefined): void {
    const receipt = this.#receipt;
    if (receipt?.state !== 'stored') return;
    const { last } = receipt.request.snapshot;
    const isInstalling = installing?.index === last.index && installing.term === last.term;
    receipt.state = isInstalling ? 'installing' : 'done';
    this.#answer(receipt);
  }

  /** The install of a snapshot is done. */
  installed({ index }: LogId): void {
    const receipt = this.#receipt;
    if (receipt?.state !== 'installing' || receipt.request.snapshot.last.index !== index) return;
    receipt.state = 'done';
    this.#answer(receipt);
  }

  /** Time passes: gives up what nobody goes on with, or needs any more, for it holds a file. */
  tick(): void {
    const { isNeeded, nowMs } = this.#parts;
    const receipt = this.#receipt;
    if (receipt?.state !== 'receiving') return;
    const isLeft = nowMs() - receipt.heardAtMs >= leftAfterMs;
    if (isLeft || !isNeeded(receipt.request.snapshot.last)) this.giveUp();
  }

  /** Gives up what is being received, if it is not stored yet. */
  giveUp(): void {
    const receipt = this.#receipt;
    if (receipt?.state !== 'receiving') return;
    this.#abandon(receipt);
    this.#receipt = undefined;
  }

  /** Gives up what is being received; resolves once the store is left alone. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#receipt !== undefined) this.#abandon(this.#receipt);
    this.#receipt = undefined;
    await this.#work;
  }

  async #begin(receipt: Receipt): Promise<void> {
    const { isNeeded, store } = this.#parts;
    const { configuration, last } = receipt.request.snapshot;
    if (!isNeeded(last)) return this.#stored(receipt);
    const known = (await store.list()).find(
      (meta) => meta.last.index === last.index && meta.last.term === last.term,
    );
    if (known !== undefined && (await this.#isWhole(receipt, known))) return this.#stored(receipt);
    if (receipt.state === 'failed') return;
    receipt.sink = await store.create(last, configuration);
    this.#answer(receipt);
  }

  /**
   * Reads one that was there already to its end: once the core has it, the log is given up for it. A damaged
   * one is removed.
   */
  async #isWhole(receipt: Receipt, known: SnapshotMeta): Promise<boolean> {
    const { store } = this.#parts;
    try {
      for await (const _chunk of store.read(known)) if (receipt.state === 'failed') return false;
      return true;
    } catch (error) {
      if (!isKontikiError(error, 'SNAPSHOT_CORRUPT')) throw error;
      await store.remove(known);
      return false;
    }
  }

  async #store(receipt: Receipt, chunk: SnapshotChunk): Promise<void> {
    if (receipt.state !== 'receiving') return;
    const { sink } = receipt;
    if (chunk.data.length > 0) await sink?.write(chunk.data);
    if (chunk.isLast) {
      await sink?.commit();
      receipt.sink = undefined;
    }
    receipt.stored += 1;
    if (chunk.isLast) this.#stored(receipt);
    else this.#answer(receipt);
  }

  #stored(receipt: Receipt): void {
    if (receipt !== this.#receipt) return;
    receipt.state = 'stored';
    this.#parts.onStored(receipt.request);
    this.#answer(receipt);
  }

  /** No member of this release sends such a thing. */
  #refuse(receipt: Receipt): void {
    this.#abandon(receipt);
    this.#answer(receipt);
  }

  #abandon(receipt: Receipt): void {
    if (receipt.state === 'receiving') receipt.state = 'failed';
    this.#work = this.#work.then(() => discard(receipt));
  }

  #do(receipt: Receipt, step: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (receipt.state === 'failed') return;
      try {
        await step();
      } catch {
        // No space, or the disk failed: the member goes on as it is, and the leader tries again.
        receipt.state = 'failed';
        await discard(receipt);
        this.#answer(receipt);
      }
    });
  }

  #answer(receipt: Receipt): void {
    if (receipt !== this.#receipt || this.#isStopped) return;
    const { id, request, state, stored } = receipt;
    const { from, term, to } = request;
    this.#parts.send({
      ...{ kind: 'snapshot-ack', from: to, to: from, term, id },
      ...{ next: stored, state: state === 'stored' ? 'installing' : state },
    });
  }
}

/** Of the same snapshot, and neither failed nor done: what is stored of it counts. */
function isUnderWay({ request, state }: Receipt, again: SnapshotRequest): boolean {
  const [one, other] = [request.snapshot.last, again.snapshot.last];
  const isSame = one.index === other.index && one.term === other.term;
  return isSame && request.from === again.from && state !== 'failed' && state !== 'done';
}

function isChunk({ data, isLast }: SnapshotChunk): boolean {
  return data.length <= limits.snapshotChunkBytes && (isLast || data.length > 0);
}

async function discard(receipt: Receipt): Promise<void> {
  const { sink } = receipt;
  receipt.sink = undefined;
  await sink?.discard().catch(() => undefined);
}

/**
 * The name of a stream as a request's data.
 *
 * @param id - a safe integer from 0
 * @since 0.1.0
 */
export function streamData(id: number): Uint8Array {
  const bytes = new Uint8Array(8);
  setUint53(bytes, 0, id);
  return bytes;
}

/** What {@link streamData} made; `undefined` for anything else. */
function streamIdOf({ snapshot: { data } }: SnapshotRequest): number | undefined {
  if (data.length !== 8) return undefined;
  const id = getUint53(data, 0);
  return Number.isSafeInteger(id) ? id : undefined;
}
