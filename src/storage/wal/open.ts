/**
 * Opens a log: reads and verifies all of it, cuts what a crash left of the last write, and goes on
 * where it ends.
 */
import { limits } from '../../base/limits.js';
import type { MemberId } from '../../raft/types.js';
import type { FileSystem } from '../file-system.js';
import { walCorrupt } from './damage.js';
import { EntryCache } from './entry-cache.js';
import { EntryIndex } from './entry-index.js';
import { alignGroup } from './format.js';
import { GroupBuilder } from './group-builder.js';
import type { ChainState } from './group-reader.js';
import { WalLogStore } from './log-store.js';
import { type RecordPlace, readWal, type WalProgress, type WalSummary } from './reader.js';
import type { WalRecord } from './record.js';
import { segmentName } from './segment-header.js';
import { SegmentWriter, type SegmentWriterOptions } from './segment-writer.js';

/**
 * @since 0.1.0
 */
export interface OpenWalOptions {
  readonly fs: FileSystem;
  /** Folder of the log, created if missing. */
  readonly dir: string;
  /** Configuration a new log begins with; an existing one has its own. */
  readonly voters: readonly MemberId[];
  /**
   * Whether a folder without a log is a new member; default true. False when something else shows
   * that there was one: then its absence is the loss of all it acknowledged.
   */
  readonly create?: boolean | undefined;
  /** Last entry the state machine has durably applied; default 0. Older ones may leave memory. */
  readonly applied?: number | undefined;
  /** Raft group of the records; default 0. */
  readonly groupId?: number | undefined;
  /** Bytes of a segment; default `limits.segmentBytes`. */
  readonly segmentBytes?: number | undefined;
  /** Bytes kept zeroed ahead of the writer; default `limits.preallocateBytes`. */
  readonly preallocateBytes?: number | undefined;
  /** Bytes of applied entries kept in memory; default 64 MiB. */
  readonly cacheBytes?: number | undefined;
  /** Called after each segment is read. */
  readonly onProgress?: ((progress: WalProgress) => void) | undefined;
}

const cacheBytesDefault = 64 * 1024 * 1024;

/**
 * Opens the log of a folder, or starts a new one.
 *
 * @throws {KontikiError} WAL_CORRUPT with file and offset, FORMAT_UNSUPPORTED: nothing was changed;
 *   STORAGE_IO, NO_SPACE
 * @since 0.1.0
 */
export async function openWal(options: OpenWalOptions): Promise<WalLogStore> {
  const { fs, dir, groupId = 0, cacheBytes = cacheBytesDefault, applied = 0 } = options;
  const index = new EntryIndex();
  const cache = new EntryCache(1);
  const visit = (record: WalRecord, place: RecordPlace): void => {
    if (record.kind !== 'entry') return;
    const { entry } = record;
    index.set(entry.index, place.segment, place.offset, place.size, place.seed);
    // The reader's bytes are a whole segment: keeping a view would keep all of it.
    cache.push({ ...entry, data: new Uint8Array(entry.data) });
    cache.evict(applied, cacheBytes);
  };
  const { onProgress, create = true } = options;
  const summary = await readWal({ fs, dir, groupId, visit, onProgress });
  const { history, torn } = summary;
  if (history.voters === undefined && !create) {
    throw walCorrupt(`${dir}/${segmentName(1)}`, 0, 'the log is gone, from its first record on');
  }
  const { writer, next } = await openWriter(options, summary);
  if (history.voters === undefined) {
    history.add({ kind: 'configuration', voters: options.voters });
  }
  return new WalLogStore({
    fs,
    dir,
    groupId,
    cacheBytes,
    applied,
    recovery: {
      committedIndex: history.hardState.commit,
      lastIndex: history.terms.last,
      cut: torn,
    },
    history,
    index,
    cache,
    writer,
    next,
  });
}

async function openWriter(
  options: OpenWalOptions,
  summary: WalSummary,
): Promise<{ readonly writer: SegmentWriter; readonly next: ChainState }> {
  const { fs, dir, segmentBytes, preallocateBytes } = options;
  const settings: SegmentWriterOptions = {
    fs,
    dir,
    // No size of a file lies between two places where a group may start.
    segmentBytes: alignGroup(segmentBytes ?? limits.segmentBytes),
    preallocateBytes: alignGroup(preallocateBytes ?? limits.preallocateBytes),
  };
  const { tail, unfinished } = summary;
  await fs.makeDirectory(dir);
  await fs.syncDirectory(parentOf(dir));
  // A crash between creating a segment and syncing its header: it never held anything.
  if (unfinished !== undefined) await fs.remove(unfinished);
  const next = tail?.next ?? { sequence: 1, chain: 0 };
  const writer =
    tail === undefined
      ? await SegmentWriter.create(settings, { segment: 1, ...next })
      : await SegmentWriter.resume(settings, tail);
  if (summary.history.voters !== undefined) return { writer, next };
  try {
    return { writer, next: await writeConfiguration(options, writer, next) };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** The first group of a log. */
async function writeConfiguration(
  options: OpenWalOptions,
  writer: SegmentWriter,
  next: ChainState,
): Promise<ChainState> {
  const builder = new GroupBuilder(options.fs.crc32, options.groupId ?? 0);
  builder.reset(next.chain);
  builder.addConfiguration(options.voters);
  await writer.append(builder, next.sequence, () => undefined);
  return { sequence: next.sequence + 1, chain: builder.chain };
}

function parentOf(path: string): string {
  const end = path.replace(/\/+$/, '').lastIndexOf('/');
  return end < 0 ? '.' : path.slice(0, Math.max(end, 1));
}
