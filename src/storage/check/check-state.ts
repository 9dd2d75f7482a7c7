/**
 * Verifies a keyspace's state without opening it, which would write: LevelDB's files, the flush chain
 * and, through whoever knows them, the records.
 */
import type { BinaryString } from '../../base/bytes.js';
import type { FileSystem } from '../file-system.js';
import { isAheadKey } from '../flush-ahead.js';
import { aheadLost, FlushChainReading, flushesLost } from '../flush-chain-reading.js';
import { appliedKey, decodeApplied, type FlushRecord, flushKeys } from '../flush-record.js';
import { type LevelContents, readLevelRecords } from '../level-files/records.js';

/** Looks at all records of a state machine; `KeyspaceAudit` of `kontiki/mvcc` does. @since 0.1.0 */
export interface RecordAudit {
  /**
   * Called for each record, in the order of their keys. Throws (`STATE_CORRUPT`) when it is not what
   * was written. The bytes are a view that must be copied to be kept.
   */
  add(key: BinaryString, bytes: Uint8Array): void;
  /** Called once, behind the last record. Throws (`STATE_CORRUPT`) when they do not fit together. */
  end(): void;
}

/** @since 0.1.0 */
export interface CheckStateOptions {
  readonly fs: FileSystem;
  /** Folder of the state, which nobody has open; one that is missing is a state without an entry. */
  readonly dir: string;
  /** Default: the records are read, but not looked at. */
  readonly audit?: RecordAudit | undefined;
}

/** What a state is made of. @since 0.1.0 */
export interface StateCheck {
  readonly contents: LevelContents;
  /** Last entry that is in it; 0 for none. */
  readonly appliedIndex: number;
  /** The newest flush; one with `seq` 0 when there is none. */
  readonly lastFlush: FlushRecord;
}

/**
 * Reads all of a state.
 *
 * @param options - see {@link CheckStateOptions}
 * @throws {KontikiError} STATE_CORRUPT, naming the file with its offset or the record;
 *   FORMAT_UNSUPPORTED, STORAGE_IO
 * @since 0.1.0
 */
export async function checkState({ fs, dir, audit }: CheckStateOptions): Promise<StateCheck> {
  const chain = new FlushChainReading();
  let applied: number | undefined;
  /** Those that did not come yet: keys of what goes ahead come behind the flush records. */
  let proofs: Set<BinaryString> | undefined;
  const visit = (key: BinaryString, value: Uint8Array): void => {
    if (key === appliedKey) applied = decodeApplied(value);
    else if (key >= flushKeys.gte && key < flushKeys.lt) chain.add(key, value);
    else if (!isAheadKey(key)) audit?.add(key, value);
    else {
      proofs ??= new Set(chain.ahead.keys);
      proofs.delete(key);
      // What went ahead of a flush that was cut short goes with the next open.
      if (key <= chain.ahead.top) audit?.add(key, value);
    }
  };
  const contents = await readLevelRecords({ fs, dir, visit });
  if (applied === undefined && contents.records > 0) {
    throw flushesLost('there are records but no applied index');
  }
  chain.end(applied ?? 0);
  const [missing] = proofs ?? chain.ahead.keys;
  if (missing !== undefined) throw aheadLost(chain.ahead.flushOf(missing));
  audit?.end();
  return { contents, appliedIndex: applied ?? 0, lastFlush: chain.last };
}
