/**
 * Opens a log: reads and verifies all of it, cuts what a crash left of the last write, and goes on
 * where it ends.
 */
import { limits } from '../../base/limits.js';
import type { LogId, MemberId } from '../../raft/types.js';
import type { FileSystem } from '../file-system.js';
import { parentOf } from '../parent-of.js';
import { appliedProblem } from './applied-problem.js';
import { walCorrupt } from './damage.js';
import { alignGroup } from './format.js';
import { LogContent } from './log-content.js';
import { WalLogStore } from './log-store.js';
import { readWal, type WalProgress, type WalSummary } from './reader.js';
import { isPreparedName, type SegmentOptions } from './segment-file.js';
import { segmentName } from './segment-header.js';
import { removeSegments } from './segment-removal.js';
import { SegmentWriter } from './segment-writer.js';

/**
 * @since 0.1.0
 */
export interface OpenWalOptions {
  readonly fs: FileSystem;
  /** Folder of the log, created if missing. */
  readonly dir: string;
  /** Configuration a new log begins with; an existing one has its own. */
  readonly voters: readonly MemberId[];
  /** What the driver keeps beside that configuration; default nothing. */
  readonly context?: Uint8Array | undefined;
  /**
   * Whether a folder without a log is a new member; default true. False when something else shows
   * that there was one: then its absence is the loss of all it acknowledged.
   */
  readonly create?: boolean | undefined;
  /**
   * Last entry the state machine has durably applied; default 0. Older ones may leave memory, and
   * `initialState` has the members as of this entry. A log that cannot be of such a state is refused;
   * without this option none is.
   */
  readonly applied?: number | undefined;
  /** Raft group of the records; default 0. */
  readonly groupId?: number | undefined;
  /** Bytes of a segment; default `limits.segmentBytes`. */
  readonly segmentBytes?: number | undefined;
  /** Bytes kept zeroed ahead of the writer, past the segment's end in the next one; default
   * `limits.preallocateBytes`. */
  readonly preallocateBytes?: number | undefined;
  /** Bytes of applied entries kept in memory; default 64 MiB. */
  readonly cacheBytes?: number | undefined;
  /** Runs what writes and syncs a group, so that it can be timed. */
  readonly watch?: ((persist: () => Promise<void>) => Promise<void>) | undefined;
  /** Called after each segment is read. */
  readonly onProgress?: ((progress: WalProgress) => void) | undefined;
}

/** `zeroLogId` of raft, which only its types may come from. */
const beforeFirst: LogId = { term: 0, index: 0 };

const cacheBytesDefault = 64 * 1024 * 1024;

/**
 * Opens the log of a folder, or starts a new one.
 *
 * @throws {KontikiError} WAL_CORRUPT with file and offset, STATE_CORRUPT when the state ends before the
 *   log begins, FORMAT_UNSUPPORTED: nothing was changed; STORAGE_IO, NO_SPACE
 * @since 0.1.0
 */
export async function openWal(options: OpenWalOptions): Promise<WalLogStore> {
  const { fs, dir, groupId = 0, cacheBytes = cacheBytesDefault, applied = 0 } = options;
  const { onProgress, create = true } = options;
  const content = new LogContent({ applied, cacheBytes });
  const summary = await readWal({
    ...{ fs, dir, groupId, onProgress },
    visit: (record, place) => content.read(record, place),
  });
  const { history, tail, torn } = summary;
  if (tail === undefined && !create) {
    throw walCorrupt(`${dir}/${segmentName(1)}`, 0, 'the log is gone, from its first record on');
  }
  // A group that looks torn may be one that was acknowledged: what the state has of it tells, and nothing
  // is cut before.
  const problem = options.applied === undefined ? undefined : appliedProblem(history, dir, applied);
  if (problem !== undefined) throw problem;
  content.dropThrough(history.terms.base);
  const writer = await openWriter(options, summary);
  return new WalLogStore({
    ...{ fs, dir, cacheBytes, applied, history, content, writer },
    segmentBytes: options.segmentBytes ?? limits.segmentBytes,
    recovery: {
      committedIndex: history.hardState.commit,
      lastIndex: history.terms.last,
      cut: torn,
    },
    commit: { crc32: fs.crc32, groupId, chain: tail?.next.chain ?? 0 },
  });
}

async function openWriter(options: OpenWalOptions, summary: WalSummary): Promise<SegmentWriter> {
  const { fs, dir, groupId = 0, segmentBytes, preallocateBytes, voters, context } = options;
  const settings: SegmentOptions = {
    ...{ fs, dir, groupId, watch: options.watch },
    // No size of a file lies between two places where a group may start.
    segmentBytes: alignGroup(segmentBytes ?? limits.segmentBytes),
    preallocateBytes: alignGroup(preallocateBytes ?? limits.preallocateBytes),
  };
  const { history, leftOver, tail } = summary;
  if (tail === undefined) {
    await fs.makeDirectory(dir);
    await fs.syncDirectory(parentOf(dir));
    history.begin(
      context === undefined ? { voters: [...voters] } : { voters: [...voters], context },
    );
    const writer = await SegmentWriter.create(settings, history.head);
    history.segments.begin(1, beforeFirst);
    return writer;
  }
  const writer = await SegmentWriter.resume(settings, tail);
  try {
    await removeLeftOvers(options, leftOver);
    // Behind that: the next segment's file has the name of one left over.
    writer.fill();
    return writer;
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/**
 * Finishes what a crash cut short. Only now: the record that the log starts later is durable since
 * its group was written again.
 */
async function removeLeftOvers(
  { fs, dir }: OpenWalOptions,
  segments: readonly string[],
): Promise<void> {
  await removeSegments(fs, dir, segments);
  const prepared = (await fs.list(dir)).filter(isPreparedName);
  for (const name of prepared) await fs.remove(`${dir}/${name}`);
  if (prepared.length > 0) await fs.syncDirectory(dir);
}
