/** The window of unacknowledged appends: rows F. */
import { describe, expect, test } from 'vitest';
import { appends, Solo } from './solo.js';

const window = 256;

function streaming(): Solo {
  const solo = new Solo({ voters: [1, 2], inflightMessagesMax: window });
  solo.lead();
  solo.acknowledge(2, 1);
  expect(solo.progress(2).state).toBe('replicate');
  return solo;
}

function proposeOne(solo: Solo): string[] {
  solo.propose('x');
  return appends(solo.flush());
}

function full(): Solo {
  const solo = streaming();
  for (let at = 0; at < window; at += 1) proposeOne(solo);
  expect(solo.progress(2).paused).toBe(true);
  return solo;
}

describe('inflight window', () => {
  test('F-1: filled -> each proposal before sends one append, each one after none', () => {
    const solo = streaming();
    for (let at = 0; at < window; at += 1) {
      expect(solo.progress(2).paused).toBe(false);
      expect(proposeOne(solo)).toEqual([`2: ${at + 1}+1`]);
    }
    expect(solo.progressStatus(2)).toMatchObject({ inflightFull: true, paused: true });
    for (let at = 0; at < 10; at += 1) expect(proposeOne(solo)).toEqual([]);
  });

  test('F-2: acknowledged one by one -> room for one append each; stale ones make none', () => {
    const solo = full();
    // The stream begins at index 2: index 1 was the opening of the term.
    for (let index = 2; index < window; index += 1) {
      // It commits, which an append without entries may tell; there is nothing else to send.
      const told = appends(solo.acknowledge(2, index));
      expect(told.filter((each) => !each.endsWith('+0'))).toEqual([]);
      expect(proposeOne(solo)).toEqual([`2: ${window + index - 1}+1`]);
      expect(solo.progress(2).paused).toBe(true);
      for (let stale = 0; stale < index; stale += 37) {
        solo.step({ kind: 'append-response', from: 2, index: stale });
        expect(appends(solo.flush())).toEqual([]);
        expect(solo.progress(2).paused).toBe(true);
      }
    }
  });

  test('F-3: full and everything lost -> each heartbeat answer gives one empty append', () => {
    const solo = full();
    const { next } = solo.progress(2);
    for (let heard = 1; heard <= 5; heard += 1) {
      for (let each = 0; each < heard; each += 1) {
        expect(appends(solo.heard(2))).toEqual([`2: ${next - 1}+0`]);
        expect(solo.progress(2).paused).toBe(true);
      }
      for (let each = 0; each < 10; each += 1) expect(proposeOne(solo)).toEqual([]);
    }
  });
});
