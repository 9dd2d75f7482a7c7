// DESIGN §4.10: who is right when log and state machine disagree.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recoveredLog } from '../../src/node/recovery.js';
import type { LogReader } from '../../src/raft/log-reader.js';

/** A log that holds `first` to `last`, all of term 3. */
function logOf(first: number, last: number, commit: number): LogReader {
  return {
    initialState: () => ({ hardState: { term: 3, vote: 2, commit }, voters: [1, 2] }),
    firstIndex: () => first,
    lastIndex: () => last,
    term: (index) => (index >= first - 1 && index <= last ? 3 : undefined),
    entries: ({ lo }) => (lo < first ? undefined : 'pending'),
  };
}

const error = (code: string) => expect.objectContaining({ code });

describe('recovered log', () => {
  test('the state is ahead of the written commit index: the state is right', () => {
    const log = recoveredLog(logOf(1, 9, 4), 7);
    const { hardState, voters } = log.initialState();
    expect(hardState).toEqual({ term: 3, vote: 2, commit: 7 });
    expect(voters).toEqual([1, 2]);
  });

  test('the state is behind the written commit index: that stays', () => {
    expect(recoveredLog(logOf(1, 9, 8), 7).initialState().hardState.commit).toBe(8);
  });

  test('the state is beyond the end of the log -> WAL_CORRUPT', () => {
    expect(() => recoveredLog(logOf(1, 9, 4), 10)).toThrow(error('WAL_CORRUPT'));
    expect(() => recoveredLog(logOf(1, 9, 9), 9)).not.toThrow();
    expect(() => recoveredLog(logOf(1, 0, 0), 1)).toThrow(error('WAL_CORRUPT'));
    expect(() => recoveredLog(logOf(1, 0, 0), 0)).not.toThrow();
  });

  test('the state ends before the log begins -> STATE_CORRUPT', () => {
    expect(() => recoveredLog(logOf(6, 9, 9), 4)).toThrow(error('STATE_CORRUPT'));
    expect(() => recoveredLog(logOf(6, 9, 9), 5)).not.toThrow();
  });

  test('everything else: what the log says', () => {
    const index = fc.nat(12);
    fc.assert(
      fc.property(index, index, index, (first, length, asked) => {
        const log = logOf(first + 1, first + length, first);
        const recovered = recoveredLog(log, first);
        const range = { lo: asked, hi: asked + 1 };
        expect([recovered.firstIndex(), recovered.lastIndex()]).toEqual([
          first + 1,
          first + length,
        ]);
        expect(recovered.term(asked)).toBe(log.term(asked));
        expect(recovered.entries(range, 100)).toBe(log.entries(range, 100));
      }),
    );
  });
});
