/**
 * What a node counts. Counting is an addition to a field on the way of whatever is counted; a snapshot
 * is made only when somebody asks. The names are part of the API: docs/api/metrics.md.
 */

import type { Outcome } from '../base/errors.js';
import { Histogram, type HistogramSnapshot } from '../base/histogram.js';

/** Counters since the node was opened, and gauges as of now. @since 0.1.0 */
export interface NodeMetrics {
  /** Calls that were taken. */
  readonly proposals: number;
  /** Calls refused at once because too many wait. */
  readonly proposalsOverloaded: number;
  /** Failed ones, by their outcome; those aborted before they were handed over count as rejected. */
  readonly proposalsRejected: number;
  readonly proposalsUnknown: number;
  /** Calls that wait now. */
  readonly proposalsPending: number;
  /** From the call to its end, failed ones included. */
  readonly proposalMs: HistogramSnapshot;
  /** Questions for an index to read at, one for all reads of a turn, and those answered. */
  readonly readRounds: number;
  readonly readRoundsAnswered: number;
  /** Batches and entries that the state machine took. */
  readonly applyBatches: number;
  readonly entriesApplied: number;
  /** Time of one batch in the state machine. */
  readonly applyMs: HistogramSnapshot;
  /** Writes handed to the log, their entries, and the bytes of data in these. */
  readonly logWrites: number;
  readonly logEntries: number;
  readonly logDataBytes: number;
  /** From handing a write over to its being durable. */
  readonly logWriteMs: HistogramSnapshot;
  /** Write and sync of a group of the log; empty for a log in memory. */
  readonly fsyncMs: HistogramSnapshot;
  /** About the bytes that the log has on the disk. */
  readonly logBytes: number;
  /** How often this member asked for votes, and led. */
  readonly campaigns: number;
  readonly termsLed: number;
  /** How often another leader became known, or none. */
  readonly leaderChanges: number;
  /** Messages of the core, by kind. */
  readonly messagesSent: Readonly<Record<string, number>>;
  readonly messagesReceived: Readonly<Record<string, number>>;
  /** Messages dropped because too many waited for a turn. */
  readonly messagesDropped: number;
  /** Snapshots sent to the end, not to the end, and installed here. */
  readonly snapshotsSent: number;
  readonly snapshotsFailed: number;
  readonly snapshotsInstalled: number;
  /** How often this member stood still, by what did: `loop`, `log`, `state`. */
  readonly stalls: Readonly<Record<string, number>>;
}

/** @since 0.1.0 */
export class NodeMeter {
  proposalsOverloaded = 0;
  proposalsRejected = 0;
  proposalsUnknown = 0;
  readRounds = 0;
  readRoundsAnswered = 0;
  applyBatches = 0;
  entriesApplied = 0;
  logWrites = 0;
  logEntries = 0;
  logDataBytes = 0;
  campaigns = 0;
  termsLed = 0;
  leaderChanges = 0;
  messagesDropped = 0;
  snapshotsSent = 0;
  snapshotsFailed = 0;
  snapshotsInstalled = 0;
  readonly messagesSent: Record<string, number> = {};
  readonly messagesReceived: Record<string, number> = {};
  readonly stalls: Record<string, number> = {};
  readonly proposalMs = new Histogram();
  readonly applyMs = new Histogram();
  readonly logWriteMs = new Histogram();
  readonly fsyncMs = new Histogram();

  /** A proposal failed. */
  failed(outcome: Outcome | undefined): void {
    if (outcome === 'unknown') this.proposalsUnknown += 1;
    else this.proposalsRejected += 1;
  }

  /** @param gauges - what nobody counts */
  snapshot(gauges: Pick<NodeMetrics, 'proposalsPending' | 'logBytes'>): NodeMetrics {
    return {
      ...this,
      ...gauges,
      proposals: this.proposalMs.count + gauges.proposalsPending,
      messagesSent: { ...this.messagesSent },
      messagesReceived: { ...this.messagesReceived },
      stalls: { ...this.stalls },
      proposalMs: this.proposalMs.snapshot(),
      applyMs: this.applyMs.snapshot(),
      logWriteMs: this.logWriteMs.snapshot(),
      fsyncMs: this.fsyncMs.snapshot(),
    };
  }
}

/** Adds one. @since 0.1.0 */
export function countKind(counts: Record<string, number>, kind: string): void {
  counts[kind] = (counts[kind] ?? 0) + 1;
}
