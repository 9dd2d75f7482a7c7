/** What a leader does with a member that needs a snapshot (semantics §9): rows S. */
import { describe, expect, test } from 'vitest';
import type { PeerMessage } from '../../../src/raft/index.js';
import { snapshotAt } from './disk.js';
import { only, Solo } from './solo.js';

const configuration = { voters: [1, 2] };

/** Leader of 1 and 2 over a snapshot at (11, 11); 2 is recently active and knows nothing. */
function restoredLeader(): Solo {
  const solo = new Solo({
    configuration,
    base: { index: 11, term: 11 },
    latestSnapshot: () => snapshotAt(11, 11, configuration),
  });
  solo.lead();
  return solo;
}

/** The same, with the snapshot on its way to 2. */
function sending(): { readonly solo: Solo; readonly sent: PeerMessage[] } {
  const solo = restoredLeader();
  const peer = solo.progress(2);
  peer.next = solo.core.log.firstIndex;
  peer.recentActive = true;
  solo.step({
    kind: 'append-response',
    from: 2,
    index: peer.next - 1,
    hint: { index: 0, term: 0 },
  });
  const sent = solo.flush();
  expect(solo.progress(2).state).toBe('snapshot');
  return { solo, sent };
}

describe('snapshot on its way', () => {
  test('S-1: a rejection below the start of the log -> the snapshot is sent and pending', () => {
    const { solo, sent } = sending();
    expect(only(sent, 'snapshot-request').map(({ snapshot }) => snapshot.last.index)).toEqual([11]);
    expect(solo.progressStatus(2)).toMatchObject({ state: 'snapshot', pendingSnapshot: 11 });
  });

  test('S-2: a proposal meanwhile -> nothing is sent', () => {
    const { solo } = sending();
    solo.propose('a');
    expect(solo.flush()).toEqual([]);
  });

  test('S-3: reported as failed -> probes where the log is known to match, paused', () => {
    const { solo } = sending();
    expect(solo.progress(2).match).toBe(0);
    solo.node.reportSnapshot(2, false);
    expect(solo.progressStatus(2)).toMatchObject({
      state: 'probe',
      pendingSnapshot: 0,
      next: 1,
      paused: true,
    });
    expect(solo.flush()).toEqual([]);
  });

  test('S-4: reported as arrived -> probes behind it, paused', () => {
    const { solo } = sending();
    solo.node.reportSnapshot(2, true);
    expect(solo.progressStatus(2)).toMatchObject({
      state: 'probe',
      pendingSnapshot: 0,
      next: 12,
      paused: true,
    });
    expect(solo.flush()).toEqual([]);
  });

  test('S-5: acknowledged -> a stream, with what follows it in flight', () => {
    const { solo } = sending();
    const sent = solo.acknowledge(2, 11);
    expect(only(sent, 'append-request').map(({ entries }) => entries.length)).toEqual([1]);
    expect(solo.progressStatus(2)).toMatchObject({
      state: 'replicate',
      pendingSnapshot: 0,
      match: 11,
      next: 13,
      inflightCount: 1,
    });
  });
});
