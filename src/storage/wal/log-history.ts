/**
 * What a log of Raft can and cannot say. The writer asserts it and the reader checks it: a log whose
 * checksums are right and whose history is impossible was not written by this code as it stands.
 */
import type { ConfState } from '../../raft/configuration.js';
import type { HardState, LogId } from '../../raft/types.js';
import type { AppliedConfiguration, SnapshotMark } from '../log-store.js';
import type { LogHead } from './log-head.js';
import { encodeMark } from './mark-codec.js';
import type { WalMark, WalRecord } from './record.js';
import { SegmentMap } from './segment-map.js';
import { TermRuns } from './term-runs.js';

/** The log's contents so far, without the data of entries. @since 0.1.0 */
export class LogHistory {
  readonly terms: TermRuns = new TermRuns();
  readonly segments: SegmentMap = new SegmentMap();
  #hardState: HardState = { term: 0, vote: 0, commit: 0 };
  #configurations: readonly AppliedConfiguration[] = [];
  #installing: SnapshotMark | undefined;
  #startSegment = 0;
  /** Whether the head of the log's first segment is being read: what it says is all there is. */
  #isAdopting = false;

  get hardState(): HardState {
    return this.#hardState;
  }

  /** Ascending; from the one that was current at the log's start on. */
  get configurations(): readonly AppliedConfiguration[] {
    return this.#configurations;
  }

  /** The snapshot whose install is not done. */
  get installing(): SnapshotMark | undefined {
    return this.#installing;
  }

  /** Number of the segment that the log starts with; 0 before anything was read. */
  get startSegment(): number {
    return this.#startSegment;
  }

  /** What the next segment's head has to say. */
  get head(): LogHead {
    return {
      position: this.terms.lastId,
      startSegment: this.#startSegment,
      hardState: this.#hardState,
      configurations: this.#configurations,
      installing: this.#installing,
    };
  }

  /** Members at `index`: those that the newest change up to there left. */
  configurationAt(index: number): ConfState {
    const found = this.#configurations.findLast((one) => one.index <= index);
    return (found ?? this.#configurations[0])?.configuration ?? { voters: [] };
  }

  /** Whether the members at an entry are known already. */
  knowsConfiguration(index: number): boolean {
    return index <= (this.#configurations.at(-1)?.index ?? -1);
  }

  /** Begins a new log, with nothing in it but its members. */
  begin(configuration: ConfState): void {
    this.#startSegment = 1;
    this.#configurations = [{ index: 0, configuration }];
  }

  /** Takes the next record behind a segment's head, or says why it cannot follow. */
  add(record: WalRecord): string | undefined {
    if (record.kind === 'entry') return this.addEntry(record.entry.term, record.entry.index);
    if (record.kind === 'hard-state') return this.addHardState(record.hardState);
    return this.addMark(record);
  }

  /** Takes a record of a segment's head: it repeats what is known, unless nothing is. */
  addToHead(record: WalRecord, segment: number): string | undefined {
    if (record.kind === 'head') return this.#addHead(record.position, record.segment, segment);
    if (this.segments.newest !== segment) return 'the segment does not begin with its head';
    if (record.kind === 'hard-state') return this.addHardState(record.hardState);
    if (record.kind === 'configuration') {
      if (this.#isAdopting) return this.#addConfiguration(record.applied);
      return isRepeated(record, this.#configurations, asConfiguration);
    }
    if (record.kind === 'installing') {
      if (!this.#isAdopting) return isRepeated(record, [this.#installing], asInstalling);
      this.#installing = record.snapshot;
      return undefined;
    }
    return `a record of kind ${record.kind} is in the head of a segment`;
  }

  /** Takes an entry, which replaces everything from its index on. */
  addEntry(term: number, index: number): string | undefined {
    const { terms } = this;
    if (index > terms.last + 1) return `entry ${index} follows entry ${terms.last}`;
    if (index <= terms.base) return `entry ${index} is replaced, the log starts behind it`;
    if (index <= this.#hardState.commit) {
      return `entry ${index} is replaced although ${this.#hardState.commit} is committed`;
    }
    const before = terms.at(index - 1) as number;
    if (!(term >= before && term > 0)) return `entry ${index} of term ${term} follows ${before}`;
    if (index <= terms.last) this.segments.replaced(index);
    terms.append(index, term);
    return undefined;
  }

  /** Takes a hard state, written after the entries of its batch. */
  addHardState(next: HardState): string | undefined {
    const now = this.#hardState;
    if (next.term < now.term) return `the term goes back from ${now.term} to ${next.term}`;
    if (next.term === now.term && now.vote !== 0 && next.vote !== now.vote) {
      return `the vote of term ${now.term} changes from ${now.vote} to ${next.vote}`;
    }
    if (next.commit < now.commit) {
      return `the commit index goes back from ${now.commit} to ${next.commit}`;
    }
    if (next.commit > this.terms.last) {
      return `commit index ${next.commit} is beyond the last entry, ${this.terms.last}`;
    }
    this.#hardState = next;
    return undefined;
  }

  /** Takes a mark that stands behind a segment's head. */
  addMark(mark: WalMark): string | undefined {
    switch (mark.kind) {
      case 'configuration':
        return this.#addConfiguration(mark.applied);
      case 'installing':
        return this.#install(mark.snapshot);
      case 'installed':
        return this.#endInstall(mark.last);
      case 'start':
        return this.#startWith(mark.segment, mark.position);
      default:
        return 'the head of a segment stands in its middle';
    }
  }

  #addHead(position: LogId, startSegment: number, segment: number): string | undefined {
    if (startSegment > segment) return `the log starts with segment ${startSegment}, a later one`;
    this.#isAdopting = this.segments.newest === 0;
    const { terms } = this;
    if (this.#isAdopting) {
      terms.reset(position);
      this.#startSegment = startSegment;
    } else if (terms.last !== position.index || terms.at(terms.last) !== position.term) {
      return `the segment goes on behind entry ${position.index}, the one before ends at ${terms.last}`;
    } else if (startSegment !== this.#startSegment) {
      return `the log starts with segment ${this.#startSegment}, the head says ${startSegment}`;
    }
    this.segments.begin(segment, position);
    return undefined;
  }

  #addConfiguration(next: AppliedConfiguration): string | undefined {
    const newest = this.#configurations.at(-1);
    if (newest !== undefined && next.index <= newest.index) {
      return `a configuration of entry ${next.index} follows that of ${newest.index}`;
    }
    if (next.index > this.terms.last) {
      return `a configuration of entry ${next.index} is beyond the last entry, ${this.terms.last}`;
    }
    this.#configurations = [...this.#configurations, next];
    return undefined;
  }

  #install(snapshot: SnapshotMark): string | undefined {
    const { last, configuration } = snapshot;
    const now = this.#hardState;
    // What the log starts with may be of the history that goes: then it started here because of this.
    if (last.index < Math.max(now.commit, 1)) {
      return `a snapshot of entry ${last.index} replaces what is committed up to ${now.commit}`;
    }
    this.terms.reset(last);
    this.segments.detach();
    this.#hardState = { term: now.term, vote: now.vote, commit: last.index };
    this.#configurations = [{ index: last.index, configuration }];
    this.#installing = snapshot;
    return undefined;
  }

  #endInstall({ term, index }: LogId): string | undefined {
    const last = this.#installing?.last;
    if (last === undefined || last.index !== index || last.term !== term) {
      return `the snapshot of entry ${index} was installed without a beginning`;
    }
    this.#installing = undefined;
    return undefined;
  }

  #startWith(segment: number, { term, index }: LogId): string | undefined {
    if (segment <= this.#startSegment || segment > this.segments.newest) {
      return `the log cannot start with segment ${segment}`;
    }
    this.#startSegment = segment;
    // Read from a segment behind it, the log has lost its first ones: the reader sees to that.
    const start = this.segments.at(segment);
    if (start === undefined) return undefined;
    const isSame = start.position.term === term && start.position.index === index;
    const isCommitted = start.isDetached || index <= this.#hardState.commit;
    if (!isSame || !start.canStart || !isCommitted) {
      return `the log cannot start with segment ${segment}, behind entry ${index}`;
    }
    this.segments.dropBefore(segment);
    if (!start.isDetached && index > this.terms.base) this.terms.dropThrough(index);
    this.#pruneConfigurations();
    return undefined;
  }

  /** Those are kept that may still be asked for. */
  #pruneConfigurations(): void {
    const { base } = this.terms;
    const at = this.#configurations.findLastIndex((one) => one.index <= base);
    if (at > 0) this.#configurations = this.#configurations.slice(at);
  }
}

const asConfiguration = (applied: AppliedConfiguration): WalMark => ({
  kind: 'configuration',
  applied,
});
const asInstalling = (snapshot: SnapshotMark): WalMark => ({ kind: 'installing', snapshot });

/** Why a mark in a head is not among those known; they are compared as they are written. */
function isRepeated<T>(
  mark: WalMark,
  known: readonly (T | undefined)[],
  asMark: (value: T) => WalMark,
): string | undefined {
  const text = String(encodeMark(mark).body);
  const isKnown = known.some(
    (value) => value !== undefined && String(encodeMark(asMark(value)).body) === text,
  );
  return isKnown ? undefined : `the head of a segment has another ${mark.kind}`;
}
