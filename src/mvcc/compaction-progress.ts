/**
 * How far this member got with removing what a compaction gave up. It is not part of the replicated
 * state: each member removes at its own pace, and nothing that can be asked shows the difference. The
 * record is written in one batch with the removals, so a restart goes on where the last one stopped.
 *
 * ```
 *  0 u32 crc of the rest   4 u8 layout version   5 u64 done   13 u64 target   21 u64 next revision
 * 29 u32 next sub         33 sums of what was removed
 * ```
 */
import { getUint32, getUint53, setUint32, setUint53 } from '../base/integers.js';
import { checkSeal, seal } from './record-bytes.js';
import { type ChangePosition, progressKey } from './record-keys.js';
import { HashSums, hashSumsBytes } from './state-hash.js';

/** @since 0.1.0 */
export interface CompactionProgress {
  /** Everything that the compaction to this revision gave up is removed. */
  readonly done: number;
  /** The compaction that is being carried out; `done` when none is. */
  readonly target: number;
  /** First change not looked at yet. */
  readonly next: ChangePosition;
}

/**
 * Nothing was ever compacted.
 *
 * @since 0.1.0
 */
export const freshProgress: CompactionProgress = {
  done: 0,
  target: 0,
  next: { revision: 0, sub: 0 },
};

const sumsAt = 33;
const progressBytes = sumsAt + hashSumsBytes;

/**
 * Encodes the progress.
 *
 * @param progress - where it stands
 * @param removed - sums of all records removed so far
 * @since 0.1.0
 */
export function encodeProgress(progress: CompactionProgress, removed: HashSums): Uint8Array {
  const bytes = new Uint8Array(progressBytes);
  setUint53(bytes, 5, progress.done);
  setUint53(bytes, 13, progress.target);
  setUint53(bytes, 21, progress.next.revision);
  setUint32(bytes, 29, progress.next.sub);
  removed.write(bytes, sumsAt);
  seal(bytes);
  return bytes;
}

/**
 * Decodes the progress.
 *
 * @throws {KontikiError} STATE_CORRUPT; FORMAT_UNSUPPORTED when a newer version wrote it
 * @since 0.1.0
 */
export function decodeProgress(bytes: Uint8Array): {
  readonly progress: CompactionProgress;
  readonly removed: HashSums;
} {
  checkSeal(progressKey, bytes, progressBytes);
  const next = { revision: getUint53(bytes, 21), sub: getUint32(bytes, 29) };
  return {
    progress: { done: getUint53(bytes, 5), target: getUint53(bytes, 13), next },
    removed: HashSums.read(bytes, sumsAt),
  };
}
