/**
 * Who is right when log and state machine disagree after a crash (DESIGN §4.10).
 */
import { replaceAdvice } from '../base/advice.js';
import { kontikiError } from '../base/errors.js';
import type { LogReader } from '../raft/log-reader.js';

/**
 * The log as the core should see it: what the state machine has durably applied was committed,
 * whatever the last written commit index says.
 *
 * @param log - the opened log
 * @param appliedIndex - last entry in the state machine's durable state
 * @throws {KontikiError} WAL_CORRUPT, when entries are gone that the state machine has applied, so
 *   that this member may also have forgotten acknowledgements; STATE_CORRUPT, when the state is
 *   older than the log's first entry
 * @since 0.1.0
 */
export function recoveredLog(log: LogReader, appliedIndex: number): LogReader {
  const first = log.firstIndex();
  const last = log.lastIndex();
  if (appliedIndex > last) {
    throw kontikiError(
      'WAL_CORRUPT',
      `node: the state machine has applied entry ${appliedIndex}, but the log ends at ${last}: ` +
        `acknowledged entries are lost; ${replaceAdvice}`,
      { file: 'wal', offset: 0 },
    );
  }
  if (appliedIndex < first - 1) {
    throw kontikiError(
      'STATE_CORRUPT',
      `node: the state machine ends at entry ${appliedIndex}, but the log begins at ${first}; ` +
        replaceAdvice,
    );
  }
  return {
    initialState() {
      const { hardState, ...configuration } = log.initialState();
      const commit = Math.max(hardState.commit, appliedIndex);
      return { ...configuration, hardState: { ...hardState, commit } };
    },
    firstIndex: () => log.firstIndex(),
    lastIndex: () => log.lastIndex(),
    term: (index) => log.term(index),
    entries: (range, bytesMax) => log.entries(range, bytesMax),
  };
}
