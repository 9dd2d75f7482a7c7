/**
 * Sends one snapshot to one member, in numbered chunks of which a few are under way at a time. The
 * transport may lose any of them, so whatever is not acknowledged is sent again.
 *
 *     sender                         receiver
 *     snapshot-request (its id) -->  begins to store it
 *                               <--  snapshot-ack receiving, next 0
 *     snapshot-chunk 0, 1, 2, 3 -->
 *                               <--  snapshot-ack receiving, next 2
 *     snapshot-chunk 4, 5       -->
 *     ...         last chunk    -->  stored, installed
 *                               <--  snapshot-ack done
 */
import { limits } from '../base/limits.js';
import type { SnapshotAck, SnapshotChunk, WireMessage } from '../codec/wire-message.js';
import type { SnapshotRequest } from '../raft/messages.js';
import type { SnapshotPace } from './snapshot-pace.js';

/** How a stream ended. `damaged`: what was to be sent could not be read. @since 0.1.0 */
export type StreamEnd = 'arrived' | 'failed' | 'damaged';

/** @since 0.1.0 */
export interface SnapshotStreamParts {
  /** As the core made it; names the stream in its data. */
  readonly request: SnapshotRequest;
  readonly id: number;
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly nowMs: () => number;
  readonly pace: SnapshotPace;
  /** Of one chunk; default `limits.snapshotChunkBytes`, which is the most. */
  readonly chunkBytes?: number | undefined;
  /** Hands a message to the transport, which may lose it. */
  readonly send: (message: WireMessage) => void;
  /** Once. */
  readonly onEnd: (end: StreamEnd) => void;
}

/** Without an answer for as long, all that is under way is sent again. */
const resendMs = 500;
/** Without any progress of what is under way, or any answer, for as long, the stream is given up. */
const silenceMs = 10_000;

/** @since 0.1.0 */
export class SnapshotStream {
  readonly #parts: SnapshotStreamParts;
  readonly #source: AsyncIterator<Uint8Array>;
  /** Sent and not known to be stored, in order; the last chunk stays until the end. */
  #window: SnapshotChunk[] = [];
  /** Read and not cut into chunks yet. */
  #rest: Uint8Array = new Uint8Array(0);
  #next = 0;
  /** Chunks before this one are stored there: an earlier stream of the same name brought them. */
  #skipTo = 0;
  /** The farthest that the receiver told of. */
  #storedTo = 0;
  #isInstalling = false;
  #isReading = false;
  #hasLast = false;
  #hasEnded = false;
  #wasHeard = false;
  #heardAtMs: number;
  #sentAtMs: number;

  constructor(parts: SnapshotStreamParts) {
    this.#parts = parts;
    this.#source = parts.chunks[Symbol.asyncIterator]();
    this.#heardAtMs = parts.nowMs();
    this.#sentAtMs = this.#heardAtMs;
    // Chunks would be of no use before it: who does not know the stream refuses them.
    parts.send(parts.request);
  }

  /** The receiver told how far it is. */
  onAck({ next, state }: SnapshotAck): void {
    if (this.#hasEnded) return;
    const { nowMs } = this.#parts;
    this.#isInstalling = state === 'installing';
    // Of what is under way it must tell news: an answer to an earlier stream says nothing of this one. Where
    // nothing is, as long as what is stored there is read again, there is no news that it could tell.
    const isIdle = this.#window.length === 0;
    if (next > this.#storedTo || this.#isInstalling || isIdle) this.#heardAtMs = nowMs();
    this.#wasHeard = true;
    if (state === 'done') return this.end('arrived');
    if (state === 'failed') return this.end('failed');
    this.#storedTo = Math.max(this.#storedTo, next);
    if (next > this.#next) this.#skipTo = next;
    const before = this.#window.length;
    this.#window = this.#window.filter(({ at, isLast }) => at >= next || isLast);
    if (this.#window.length < before) this.#sentAtMs = nowMs();
    this.#pump();
  }

  /** Time passes: sends again what may have been lost. */
  tick(): void {
    if (this.#hasEnded) return;
    const { nowMs, request, send } = this.#parts;
    const now = nowMs();
    if (now - this.#heardAtMs >= silenceMs) return this.end('failed');
    if (this.#wasHeard) this.#pump();
    if (now - this.#sentAtMs < resendMs) return;
    this.#sentAtMs = now;
    if (!this.#wasHeard || this.#window.length === 0) send(request);
    for (const chunk of this.#window) send(chunk);
  }

  /** Ends it, unless it has ended. */
  end(end: StreamEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#window = [];
    this.#parts.pace.leave(this);
    // A read that is under way is let go of when it settles.
    if (!this.#isReading) this.#release();
    this.#parts.onEnd(end);
  }

  #release(): void {
    void this.#source.return?.()?.catch(() => undefined);
  }

  #pump(): void {
    const { chunkBytes = limits.snapshotChunkBytes, pace } = this.#parts;
    // There is nothing left to send to who has all of it.
    if (this.#isInstalling || this.#hasEnded) return pace.leave(this);
    while (this.#window.length < limits.snapshotChunksInFlightMax && !this.#hasLast) {
      if (this.#isReading) return;
      if (this.#rest.length === 0) return this.#read();
      const data = this.#rest.subarray(0, chunkBytes);
      // Without a pace, which is that of the network; a file gives way to others with each of its reads.
      const isThere = this.#next < this.#skipTo;
      if (isThere) pace.leave(this);
      else if (!pace.take(data.length, this)) return;
      this.#rest = this.#rest.subarray(data.length);
      if (isThere) this.#next += 1;
      else this.#push(data, false);
    }
  }

  #push(data: Uint8Array, isLast: boolean): void {
    const { id, nowMs, request, send } = this.#parts;
    const { from, to, term } = request;
    // What went before it was answered: it waits for its own answer from here on.
    if (this.#window.length === 0) this.#sentAtMs = nowMs();
    const chunk: SnapshotChunk = {
      ...{ kind: 'snapshot-chunk', from, to, term, id },
      ...{ at: this.#next, isLast, data },
    };
    this.#next += 1;
    this.#hasLast = isLast;
    this.#window.push(chunk);
    send(chunk);
  }

  #read(): void {
    this.#isReading = true;
    this.#source.next().then(
      (result) => {
        this.#isReading = false;
        if (this.#hasEnded) return this.#release();
        // It cannot have more than there is.
        if (result.done === true && this.#next < this.#skipTo) return this.end('failed');
        // Only the end without an error says that all before it was right.
        if (result.done === true) this.#push(new Uint8Array(0), true);
        else this.#rest = result.value;
        this.#pump();
      },
      () => {
        this.#isReading = false;
        this.end('damaged');
      },
    );
  }
}
