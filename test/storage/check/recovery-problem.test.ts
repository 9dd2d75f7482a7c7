// Log and state that do not fit together: the check says of every pair what the driver says.
import { describe, expect, test } from 'vitest';
import { isKontikiError } from '../../../src/base/errors.js';
import { recoveredLog } from '../../../src/node/recovery.js';
import type { LogReader } from '../../../src/raft/log-reader.js';
import { recoveryProblem } from '../../../src/storage/check/recovery-problem.js';
import { LogHistory } from '../../../src/storage/wal/log-history.js';

const configuration = { voters: [1] };
const idOf = (index: number) => ({ term: 2, index });

/** A log of the entries behind `base` up to `last`. */
function historyOf(base: number, last: number): LogHistory {
  const history = new LogHistory();
  history.begin(configuration);
  history.terms.reset(idOf(base));
  for (let index = base + 1; index <= last; index += 1) history.terms.append(index, 2);
  return history;
}

function problemOf(history: LogHistory, applied: number, snapshots: readonly number[] = []) {
  const wal = { history, segments: [1], leftOver: [] };
  const metas = snapshots.map((index) => ({ last: idOf(index), configuration, size: 1 }));
  return recoveryProblem(wal, 'wal', applied, metas)?.code;
}

/** What `recoveredLog` asks of a log. */
function driverProblem({ terms }: LogHistory, applied: number): string | undefined {
  const log = { firstIndex: () => terms.base + 1, lastIndex: () => terms.last };
  try {
    recoveredLog(log as LogReader, applied);
    return undefined;
  } catch (error) {
    return isKontikiError(error) ? error.code : 'none of ours';
  }
}

describe('log and state', () => {
  test('any applied index beside any log -> what the driver says', () => {
    const seen = new Set<string | undefined>();
    for (let base = 0; base < 6; base += 1) {
      for (let last = base; last < 8; last += 1) {
        for (let applied = 0; applied < 10; applied += 1) {
          const history = historyOf(base, last);
          const expected = driverProblem(history, applied);
          seen.add(expected);
          // A snapshot that is not being installed changes nothing.
          expect(problemOf(history, applied, [base]), `${base} ${last} ${applied}`).toBe(expected);
        }
      }
    }
    expect(seen).toEqual(new Set([undefined, 'WAL_CORRUPT', 'STATE_CORRUPT']));
  });

  test('a half installed snapshot -> it must be there unless the state is switched', () => {
    const history = historyOf(0, 3);
    const problem = history.addMark({
      kind: 'installing',
      snapshot: { last: idOf(9), configuration },
    });
    expect(problem).toBeUndefined();
    expect(problemOf(history, 3, [9])).toBeUndefined();
    expect(problemOf(history, 3, [])).toBe('STATE_CORRUPT');
    expect(problemOf(history, 3, [8])).toBe('STATE_CORRUPT');
    expect(problemOf(history, 9, [])).toBeUndefined();
    expect(problemOf(history, 10, [9])).toBe('WAL_CORRUPT');
  });
});
