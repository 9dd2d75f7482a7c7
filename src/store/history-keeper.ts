/**
 * Compacts history that nobody asked to keep (DESIGN §4.16): a store that nobody tends must not grow
 * for ever. The member that leads proposes it, as anybody could by `compact`: what was kept, and by
 * whose clock, is decided before the entry is written, so that applying it asks neither.
 *
 * By time it goes as in etcd (parity §2.7): the leader notes which revision was current when, and gives up
 * what was replaced before the span began. A note is never younger than the revision in it, and a new
 * leader starts its notes afresh: history is kept for longer than asked, never for shorter.
 */
import type { Clock, Timer, Timers } from '../base/clock.js';
import { isKontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Keyspace } from '../mvcc/keyspace.js';
import type { Node } from '../node/index.js';
import type { HistoryKeep } from './history-keep.js';
import { proposeInTerm } from './propose-in-term.js';

/** @since 0.1.0 */
export interface HistoryKeeperParts {
  readonly keep: HistoryKeep;
  readonly node: Pick<Node, 'leadTerm' | 'propose'>;
  /** The keyspace as it is now; another one after a restore. */
  readonly keyspace: () => Pick<Keyspace, 'revision' | 'compactRevision'>;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** A revision that was current, if not replaced already, at a time of the own clock. */
interface RevisionNote {
  readonly atMs: number;
  readonly revision: number;
}

const hourMs = 3_600_000;
/** As in etcd: by revisions every five minutes. */
const byRevisionsMs = 300_000;

/** @since 0.1.0 */
export class HistoryKeeper {
  readonly #parts: HistoryKeeperParts;
  readonly #lookMs: number;
  /** Oldest first; the first is the newest that is old enough, once there is one. */
  #notes: RevisionNote[] = [];
  #term = 0;
  #dueMs = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(parts: HistoryKeeperParts) {
    this.#parts = parts;
    this.#lookMs = lookMsOf(parts.keep);
  }

  /** Role or term may have changed. */
  check(): void {
    const { keep, node, clock } = this.#parts;
    const term = this.#isClosed || keep === 'all' ? 0 : node.leadTerm;
    if (term === this.#term) return;
    this.#timer?.cancel();
    this.#term = term;
    this.#notes = [];
    if (term === 0 || keep === 'all') return;
    const nowMs = clock.monotonicMs();
    this.#dueMs = 'ms' in keep ? nowMs + keep.ms : nowMs + byRevisionsMs;
    this.#note(nowMs);
    this.#arm();
  }

  close(): void {
    this.#isClosed = true;
    this.check();
  }

  #arm(): void {
    // A timer may come a little early by the clock: what was due then is not to wait for another span.
    const untilDueMs = this.#dueMs - this.#parts.clock.monotonicMs();
    const waitMs = untilDueMs > 0 ? Math.min(this.#lookMs, Math.max(1, untilDueMs)) : this.#lookMs;
    this.#timer = this.#parts.timers.after(waitMs, () => void this.#look());
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { keep, clock, node } = this.#parts;
    const term = this.#term;
    const nowMs = clock.monotonicMs();
    this.#note(nowMs);
    const isCompacted = nowMs >= this.#dueMs && (await this.#compact(nowMs));
    if (this.#term !== term || node.leadTerm !== term) return this.check();
    if (isCompacted && keep !== 'all') {
      this.#dueMs = nowMs + ('ms' in keep ? Math.min(keep.ms, hourMs) : byRevisionsMs);
    }
    this.#arm();
  }

  #note(atMs: number): void {
    const { keep, keyspace } = this.#parts;
    if (keep === 'all' || !('ms' in keep)) return;
    const notes = this.#notes;
    notes.push({ atMs, revision: keyspace().revision });
    while ((notes[1]?.atMs ?? Infinity) <= atMs - keep.ms) notes.shift();
  }

  /** The oldest revision to keep. */
  #target(nowMs: number): number {
    const { keep, keyspace } = this.#parts;
    if (keep === 'all') return 0;
    if ('revisions' in keep) return keyspace().revision - keep.revisions;
    const [oldest] = this.#notes;
    return oldest !== undefined && oldest.atMs <= nowMs - keep.ms ? oldest.revision : 0;
  }

  /** @returns whether that much is compacted: else it is tried again at the next look. Never rejects. */
  async #compact(nowMs: number): Promise<boolean> {
    const { node, keyspace } = this.#parts;
    const revision = this.#target(nowMs);
    if (revision <= keyspace().compactRevision) return false;
    try {
      // In this very term: the notes are of this leadership.
      await proposeInTerm(node, this.#term, { op: 'compact', revision });
      return true;
    } catch (error) {
      return isKontikiError(error, 'COMPACTED');
    }
  }
}

/** Milliseconds between two looks at the clock: ten in the span, and no more notes than their limit. */
function lookMsOf(keep: HistoryKeep): number {
  if (keep === 'all') return 0;
  if ('revisions' in keep) return byRevisionsMs;
  return Math.max(Math.min(keep.ms, hourMs) / 10, keep.ms / limits.historyNotesMax);
}
