/**
 * Every maximum of the library, in one place, with the relations between them asserted. A limit
 * that is hit gives a typed error; nothing grows without one.
 */
import { assert } from './assert.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/**
 * @since 0.1.0
 */
export const limits = {
  /** Bytes of one encoded request (keys, values and all), as in etcd. */
  requestBytesMax: 1.5 * MiB,
  /** Operations of one transaction: compares, then and else branches each. */
  transactionOperationsMax: 128,
  /** Bytes of one peer frame; an append message is cut well below it. */
  frameBytesMax: 16 * MiB,
  /** Encoded entry bytes of one append message (at least one entry always travels). */
  appendBytesMax: 1 * MiB,
  /** Unacknowledged append messages per follower. */
  inflightMessagesMax: 256,
  /** Payload bytes of the leader's own entries that are not applied yet. */
  uncommittedBytesMax: 64 * MiB,
  /** Encoded bytes of committed entries handed to the state machine at a time. */
  applyBytesMax: 4 * MiB,
  /** Records that a command reads and changes in one turn; one that needs more goes on in the next. */
  applySliceRecords: 256,
  /** Bytes of values at which such a turn ends earlier. */
  applySliceBytes: 1 * MiB,
  /** Peer messages waiting for the next turn of a node; past it new ones are dropped. */
  inboxMessagesMax: 8_192,
  /**
   * Election timeouts that a write of the log, or a batch of the state machine, may take: a leader whose
   * own takes longer lets another member lead. Twice what a silent leader is given, because a disk that
   * syncs under load may take a second, and a change of leaders takes as long.
   */
  stallElectionsMax: 2,
  /** Reads that wait on one leader for a quorum; past it new ones are refused. */
  readsMax: 10_000,
  /** Passes that the reads of one member have under way; past it those that come share the next one. */
  readPassesMax: 256,
  /** Bytes of commands that wait in one process to be handed over. */
  queuedBytesMax: 256 * MiB,
  /** Commands waiting in one process for their own apply. */
  waitersMax: 100_000,
  /** Bytes of frames waiting for one peer; past it new frames for that peer are dropped. */
  peerQueueBytesMax: 64 * MiB,
  /** Frames that wait for one peer until the next flush; past it new ones are dropped. */
  peerQueueMessagesMax: 8_192,
  /** Bytes of a snapshot waiting for one peer; past it they are dropped and sent again later. */
  snapshotQueueBytesMax: 2 * MiB,
  /** Incoming connections that have not shown yet who they are; past it new ones are closed. */
  pendingHandshakesMax: 64,
  /** Of these from one address, so that no host can keep all others out. */
  pendingHandshakesPerHostMax: 32,
  /** Events a watcher holds before it is served from history instead. */
  watcherEventsMax: 1_024,
  /** Events that all watchers of a member hold together; past it the slowest lets go. */
  watchEventsMax: 1_048_576,
  /** Bytes of the revisions that watchers hold; past it the slowest lets go. */
  watchBytesMax: 64 * MiB,
  /** Bytes of a log segment file before the next one is started. */
  segmentBytes: 64 * MiB,
  /** Bytes zeroed at a time ahead of the log's writer. */
  preallocateBytes: 4 * MiB,
  /** Entries that a member keeps in its log at least, for followers that are a little behind. */
  retainedEntriesMin: 5_000,
  /** Bytes of entries that a member keeps in its log at least. */
  retainedBytesMin: 64 * MiB,
  /** Bytes of entries kept for active followers that are further behind; past it: a snapshot. */
  retainedBytesMax: 1024 * MiB,
  /** Bytes of one part of a state in a snapshot: a record of any size fits. */
  statePartBytesMax: 16 * MiB,
  /** Bytes of a snapshot in one message to the member that needs it. */
  snapshotChunkBytes: 256 * KiB,
  /** Bytes of snapshots that a member sends in a second, unless it is told otherwise. */
  snapshotBytesPerSecond: 64 * MiB,
  /** Such messages under way to a member that it has not stored yet. */
  snapshotChunksInFlightMax: 4,
  /** Bytes of changes the write-behind overlay holds before apply waits for its flush. */
  overlayBytesMax: 64 * MiB,
  /** Seconds a lease may live without a keep-alive, as in etcd. */
  leaseTtlSecondsMax: 9_000_000_000,
  /** Leases in one entry or message: checkpoints, keep-alives. */
  leasesPerMessageMax: 1_000,
  /** Revokes of expired leases that a leader has under way. */
  leaseRevokesMax: 128,
  /** Sessions there are at most; of semantics level 1, as the next two are: never changed alone. */
  sessionsMax: 64,
  /** Requests of a session whose answers are kept, and so how many of one process are under way. */
  sessionAnswersMax: 4_096,
  /** Bytes of a kept answer; of a longer one only revision and success are kept. */
  sessionAnswerBytesMax: 1 * KiB,
  /** Members of a group, learners among them. */
  membersMax: 64,
  /** Removed members that a group remembers by their ids. */
  removedMembersMax: 256,
  /** Characters of a member's name, and of its address. */
  memberTextMax: 256,
  /** Entries that a learner may be behind the leader when it is made a voter. */
  learnerLagEntriesMax: 1_000,
  /** Questions that wait in one process for the leader's answer; past it new ones are refused. */
  questionsMax: 10_000,
  /** Pages of keys whose counts are kept: some 6 MiB, for counts that read less than a page. */
  countPagesMax: 65_536,
  /** State hashes kept for comparing members, one per 1,024 entries. */
  stateHashesMax: 256,
  /** Bytes of decoded versions of keys that are kept to answer reads of them. */
  versionCacheBytes: 32 * MiB,
  /** Bytes of current records that were flushed lately and are kept for the changes that replace them. */
  flushedRecordsBytes: 16 * MiB,
  /** Changes looked at in one step of removing compacted history. */
  compactionChangesMax: 256,
  /** Notes of which revision was current when, for keeping history by time. */
  historyNotesMax: 1_000,
  /** Bytes that such a step aims to read; it looks at fewer changes where values are large. */
  compactionBytesAim: 1 * MiB,
  /** Pairs of one page of a scan. */
  scanPairsMax: 1_000,
  /** Bytes of keys and values that a page of a scan aims at. */
  scanBytesAim: 1 * MiB,
  /** Key-value pairs read from history in one step for a watcher that is behind. */
  historyChunkMax: 512,
  /** Bytes of records aimed at in such a step; the next one is cut when it was more. */
  historyBytesMax: 4 * MiB,
  /** Reads of history under way for all watchers of a member; the others wait. */
  historyReadsMax: 32,
  /** Steps of the model in one search for a linearization; past it the verdict is unknown. */
  checkerStepsMax: 20_000_000,
  /** Places that such a search remembers, about 100 bytes each; past it the verdict is unknown. */
  checkerVisitedMax: 4_000_000,
  /** Findings of one check of a log; past it the check ends. */
  checkerFindingsMax: 100,
} as const;

assert(2 * limits.readPassesMax < limits.readsMax, 'the passes of one member leave room to others');
assert(limits.watcherEventsMax <= limits.watchEventsMax, 'one queue fits all queues');
assert(limits.requestBytesMax < limits.watchBytesMax, 'every request can be held for watchers');
assert(limits.requestBytesMax < limits.frameBytesMax / 2, 'every request fits a peer frame');
assert(limits.requestBytesMax < limits.applyBytesMax, 'every request fits an apply batch');
assert(limits.appendBytesMax < limits.frameBytesMax / 2, 'every append message fits a peer frame');
assert(
  limits.appendBytesMax * limits.inflightMessagesMax >= limits.uncommittedBytesMax,
  'the window can drain what the leader accepts',
);
assert(2 * limits.requestBytesMax < limits.statePartBytesMax, 'every record fits a part');
assert(
  limits.snapshotChunkBytes * limits.snapshotChunksInFlightMax < limits.peerQueueBytesMax / 8,
  'a snapshot leaves a peer queue to other messages',
);
assert(
  limits.snapshotChunkBytes * limits.snapshotChunksInFlightMax < limits.snapshotQueueBytesMax,
  'the chunks under way wait together',
);
assert(limits.pendingHandshakesPerHostMax < limits.pendingHandshakesMax, 'others get in too');
assert(limits.retainedBytesMin < limits.retainedBytesMax, 'followers can keep more of a log');
assert(
  limits.peerQueueBytesMax >= 2 * limits.frameBytesMax,
  'a peer queue holds more than a frame',
);
