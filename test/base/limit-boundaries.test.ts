/**
 * Every limit has a test at its boundary, here by name: a new one without a row fails, and so does a
 * row whose test is gone. Tests set a limit lower where the boundary itself is what counts.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { StatePartReader } from '../../src/codec/state-part-codec.js';

/** The file of a test below `test/`, and the beginning of its name. */
type Place = readonly [file: string, name: string];

const boundaries: Readonly<Record<keyof typeof limits, Place>> = {
  requestBytesMax: ['store/arguments.test.ts', '1.5 MiB with everything around'],
  transactionOperationsMax: ['mvcc/limits.test.ts', '%i inside one of 64: together at most 128'],
  frameBytesMax: ['transport/frame.test.ts', 'a size above the limit, cut at %j'],
  appendBytesMax: ['raft/leader.test.ts', 'N-6 A-23 appendBytesMax'],
  inflightMessagesMax: ['raft/leader.test.ts', 'F-1 F-2 full'],
  uncommittedBytesMax: ['raft/leader.test.ts', 'H6 the first proposal -> may exceed the limit'],
  applyBytesMax: ['raft/log.test.ts', 'N-8 L-9 budget used up'],
  inboxMessagesMax: ['node/node-ends.test.ts', 'more messages in one turn than the inbox holds'],
  stallElectionsMax: ['node/stalls.test.ts', 'a write takes as long as it may take'],
  readsMax: ['raft/read-index.test.ts', 'more reads than may wait'],
  readPassesMax: ['store/read-barrier.test.ts', 'as many passes under way as may be'],
  queuedBytesMax: ['node/proposals.test.ts', 'as many as may wait -> taken; one more'],
  waitersMax: ['node/proposals.test.ts', 'one fewer: taken; as many: OVERLOADED'],
  peerQueueBytesMax: ['transport/memory-hub.test.ts', 'queue full -> later messages dropped'],
  pendingHandshakesMax: [
    'transport/tcp/tcp-transport.test.ts',
    'more silent connections than allowed',
  ],
  peerQueueMessagesMax: [
    'transport/tcp/tcp-transport.test.ts',
    'more messages than may wait for a flush',
  ],
  snapshotQueueBytesMax: ['transport/tcp/lanes.test.ts', 'a peer that does not read its snapshot'],
  pendingHandshakesPerHostMax: [
    'transport/tcp/tcp-transport.test.ts',
    'more silent connections from one address than allowed',
  ],
  watcherEventsMax: ['mvcc/limits.test.ts', 'a revision of %i events beside a queue of 8'],
  watchEventsMax: ['mvcc/watch-hub.test.ts', 'all queues together are full'],
  watchBytesMax: ['mvcc/watch-hub.test.ts', 'a value of 1,000,000 bytes, %i allowed'],
  segmentBytes: ['storage/wal/log-store.test.ts', 'many, with tiny segments'],
  preallocateBytes: ['base/limits.test.ts', 'segments -> a whole number of preallocation steps'],
  retainedEntriesMin: ['node/log-retention.test.ts', 'few entries of many bytes'],
  retainedBytesMin: ['node/log-retention.test.ts', 'many entries of few bytes'],
  retainedBytesMax: ['node/log-retention.test.ts', 'an active follower that is behind'],
  statePartBytesMax: ['base/limit-boundaries.test.ts', 'a part that claims %i bytes'],
  applySliceRecords: ['mvcc/slices.test.ts', 'slices of $limit records, $bytesMax bytes'],
  applySliceBytes: ['mvcc/slices.test.ts', 'slices of $limit records, $bytesMax bytes'],
  flushedRecordsBytes: ['storage/flushed-records.test.ts', 'more than there is room for'],
  versionCacheBytes: ['mvcc/version-cache.test.ts', 'thousands of keys and ranges read'],
  checkerStepsMax: [
    'testing/checkers/linearizability.test.ts',
    'a search that takes too many steps',
  ],
  checkerVisitedMax: [
    'testing/checkers/linearizability.test.ts',
    'a search that remembers too much',
  ],
  checkerFindingsMax: ['testing/checkers/log-check.test.ts', 'more findings than it may keep'],
  countPagesMax: ['storage/range-count.test.ts', 'more pages than are kept'],
  historyNotesMax: ['store/history-keeper.test.ts', 'a long span -> as many notes as may be kept'],
  stateHashesMax: ['store/state-hashes.test.ts', 'more than are kept -> the newest'],
  snapshotBytesPerSecond: ['node/snapshot-stream.test.ts', 'a limit -> no second carries more'],
  snapshotChunkBytes: ['node/snapshot-stream.test.ts', 'seed %i: messages are lost'],
  snapshotChunksInFlightMax: ['node/snapshot-stream.test.ts', 'seed %i: messages are lost'],
  overlayBytesMax: ['storage/write-behind.test.ts', 'ready: too much held'],
  leaseTtlSecondsMax: ['mvcc/limits.test.ts', 'a TTL of %i seconds'],
  leasesPerMessageMax: ['codec/lease-question-codec.test.ts', 'as many leases as fit a message'],
  leaseRevokesMax: ['store/lease-expiry.test.ts', 'no more revokes under way than the limit'],
  questionsMax: ['node/questions.test.ts', 'more than may wait -> OVERLOADED'],
  compactionChangesMax: ['store/compaction.test.ts', 'slices until nothing is left'],
  compactionBytesAim: ['store/compaction.test.ts', 'slices until nothing is left'],
  sessionsMax: ['mvcc/sessions.test.ts', 'any requests, crowds, crashes'],
  sessionAnswersMax: ['mvcc/sessions.test.ts', 'any requests, crowds, crashes'],
  sessionAnswerBytesMax: ['mvcc/session-answer.test.ts', 'an answer of 1,024 bytes'],
  membersMax: ['node/membership-rules.test.ts', 'a group of as many members as there may be'],
  removedMembersMax: ['node/member-directory.test.ts', 'more removed than are remembered'],
  memberTextMax: ['store/members.test.ts', 'a name and an address of 256 characters'],
  learnerLagEntriesMax: ['node/membership-leader.test.ts', 'a learner that is %i entries behind'],
  scanPairsMax: ['store/scan.test.ts', 'a page of %i pairs'],
  scanBytesAim: ['store/scan.test.ts', 'page sizes follow the bytes'],
  historyChunkMax: ['store/watch-options.test.ts', 'a live revision of %i changes'],
  historyBytesMax: ['mvcc/watch-hub.test.ts', 'slices of history: shorter after large values'],
  historyReadsMax: ['store/watch-history.test.ts', 'more reads than allowed: the others wait'],
};

describe('boundaries of limits', () => {
  test('every limit -> a row, and no row without one', () => {
    expect(Object.keys(boundaries).sort()).toEqual(Object.keys(limits).sort());
  });

  test.each(Object.entries(boundaries))('%s -> its test is there', (_limit, [file, name]) => {
    const source = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
    expect(source).toContain(`'${name}`);
  });

  test.each([
    [limits.statePartBytesMax - 1, true],
    [limits.statePartBytesMax, true],
    [limits.statePartBytesMax + 1, false],
  ])('a part that claims %i bytes -> taken %s', (length, isTaken) => {
    const header = new Uint8Array(4);
    new DataView(header.buffer).setUint32(0, length, true);
    const reader = new StatePartReader();
    reader.push(header);
    if (isTaken) expect(reader.next()).toBeUndefined();
    else expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'FRAME_INVALID' }));
  });
});
