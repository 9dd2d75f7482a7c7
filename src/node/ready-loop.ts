/**
 * Carries out what the core wants done (step 4 of the walk of a put): writes, sends and applies start
 * together; none of them is waited for here.
 */
import { isKontikiError } from '../base/errors.js';
import type { PeerMessage } from '../raft/messages.js';
import type { RawNode } from '../raft/raw-node.js';
import type { Ready } from '../raft/ready.js';
import { type IndexRange, noMember, type SoftState } from '../raft/types.js';
import type { LogStore } from '../storage/log-store.js';
import type { Transport } from '../transport/transport.js';
import type { ApplyLoop } from './apply-loop.js';
import type { NodeObserver } from './observer.js';
import type { PersistLoop } from './persist-loop.js';
import type { Proposals } from './proposals.js';
import type { Questions } from './questions.js';
import type { Reads } from './reads.js';
import type { Snapshots } from './snapshots.js';

/** @since 0.1.0 */
export interface ReadyParts {
  readonly raft: RawNode;
  readonly log: Pick<LogStore, 'fetch'>;
  readonly persist: PersistLoop;
  readonly apply: ApplyLoop;
  readonly reads: Reads;
  readonly questions: Questions;
  readonly proposals: Proposals;
  readonly snapshots: Snapshots | undefined;
  readonly transport: Pick<Transport, 'send'>;
  readonly observer: NodeObserver | undefined;
  /** Last entry that is applied here. */
  readonly appliedIndex: () => number;
  /** Role or leader is another one. */
  readonly onSoftState: (before: SoftState, now: SoftState) => void;
  /** A turn is due. */
  readonly wake: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** @since 0.1.0 */
export class ReadyLoop {
  readonly #parts: ReadyParts;
  #soft: SoftState = { leader: noMember, role: 'follower' };
  /** Term the last turn ended in. */
  #lastTerm: number;
  /** By their first index: ranges that there was no descriptor to load with. */
  readonly #unloaded = new Map<number, IndexRange>();

  constructor(parts: ReadyParts) {
    this.#parts = parts;
    this.#lastTerm = parts.raft.term;
  }

  /** Everything the core has to say, one `Ready` after another. */
  run(): void {
    const { raft } = this.#parts;
    while (raft.hasReady()) this.#carryOut(raft.ready());
  }

  /** A message of the core leaves; a snapshot is streamed. */
  send(message: PeerMessage): void {
    const { observer, snapshots, transport } = this.#parts;
    observer?.sent(message);
    if (message.kind === 'snapshot-request') snapshots?.send(message);
    else transport.send(message);
  }

  /** Called with each tick. */
  tick(): void {
    const ranges = [...this.#unloaded.values()];
    this.#unloaded.clear();
    for (const range of ranges) this.#fetch(range);
  }

  #carryOut(ready: Ready): void {
    const { apply, appliedIndex, observer, persist, proposals, reads, snapshots } = this.#parts;
    if (ready.append !== undefined) observer?.writing(ready.append);
    for (const message of ready.messages) this.send(message);
    if (ready.append?.snapshot !== undefined) {
      snapshots?.taken(ready.append.snapshot.last, proposals.sent);
    }
    if (ready.append !== undefined) persist.push(ready.append);
    if (ready.apply !== undefined) apply.push(ready.apply);
    for (const read of ready.reads) reads.confirmed(read, appliedIndex());
    this.#endReadsOfOldLeader(ready.softState);
    if (ready.softState !== undefined) {
      const before = this.#soft;
      this.#soft = ready.softState;
      this.#parts.onSoftState(before, ready.softState);
    }
    for (const range of ready.fetch) this.#fetch(range);
  }

  /** Older entries that a lagging peer needs. */
  #fetch(range: IndexRange): void {
    const { log, onFailed, raft, wake } = this.#parts;
    const fetched = log.fetch(range).then(() => {
      raft.entriesFetched(range);
      wake();
    });
    fetched.catch((error) => {
      if (isOutOfDescriptors(error)) this.#unloaded.set(range.lo, range);
      else onFailed(error);
    });
  }

  /** The core dropped the reads it had, with the term or the role it had. */
  #endReadsOfOldLeader(changed: SoftState | undefined): void {
    const { questions, raft, reads } = this.#parts;
    const { term } = raft;
    if (changed !== undefined || term !== this.#lastTerm) {
      reads.leaderChanged();
      questions.leaderChanged();
    }
    this.#lastTerm = term;
  }
}

/**
 * It says nothing of the log, and others let go of descriptors: a peer that lags can wait for that,
 * and those that do not lag would lose their leader.
 */
function isOutOfDescriptors(error: unknown): boolean {
  if (!isKontikiError(error, 'STORAGE_IO')) return false;
  const { code } = (error.cause ?? {}) as { readonly code?: unknown };
  return code === 'EMFILE' || code === 'ENFILE';
}
