/**
 * Loads entries back from disk, each verified by its CRC, its index and its term.
 */
import type { Entry } from '../../raft/types.js';
import type { FileSystem } from '../file-system.js';
import { walCorrupt } from './damage.js';
import type { EntryPlace } from './entry-index.js';
import { viewOf } from './format.js';
import { applyMask } from './mask.js';
import { decodeRecord } from './record.js';
import { segmentName } from './segment-header.js';

/** Unneeded bytes between two records that are still read along: cheaper than another read. */
const gapBytesMax = 16 * 1024;

/** An entry to load. */
export interface WantedEntry extends EntryPlace {
  readonly index: number;
  readonly term: number;
}

interface Span {
  readonly segment: number;
  readonly from: number;
  to: number;
  readonly wanted: WantedEntry[];
}

/**
 * The entries, in the order wanted.
 *
 * @throws {KontikiError} WAL_CORRUPT, STORAGE_IO
 */
export async function loadEntries(
  fs: FileSystem,
  dir: string,
  wanted: readonly WantedEntry[],
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const span of spansOf(wanted)) {
    const path = `${dir}/${segmentName(span.segment)}`;
    const file = await fs.open(path, 'read');
    try {
      const bytes = await file.read(span.from, span.to - span.from);
      // Headers between the records become garbage by this: nobody looks at them.
      applyMask(bytes, 0, bytes.length, { segment: span.segment, offset: span.from });
      for (const want of span.wanted) entries.push(verified(fs, path, bytes, span, want));
    } finally {
      await file.close();
    }
  }
  return entries;
}

/** Neighbours are read together. */
function spansOf(wanted: readonly WantedEntry[]): Span[] {
  const spans: Span[] = [];
  for (const want of wanted) {
    const span = spans.at(-1);
    const end = want.offset + want.size;
    const isNear =
      span !== undefined &&
      span.segment === want.segment &&
      want.offset >= span.to &&
      want.offset - span.to <= gapBytesMax;
    if (isNear) {
      span.to = end;
      span.wanted.push(want);
    } else {
      spans.push({ segment: want.segment, from: want.offset, to: end, wanted: [want] });
    }
  }
  return spans;
}

function verified(
  fs: FileSystem,
  path: string,
  bytes: Uint8Array,
  span: Span,
  want: WantedEntry,
): Entry {
  const from = want.offset - span.from;
  const record = bytes.subarray(from, from + want.size);
  const isIntact =
    record.length === want.size &&
    fs.crc32(record.subarray(4), want.seed) === viewOf(record).getUint32(0, true);
  const decoded = isIntact ? decodeRecord(record) : undefined;
  if (decoded !== undefined && 'record' in decoded && decoded.record.kind === 'entry') {
    const { entry } = decoded.record;
    // A copy: the bytes around it must not stay alive with it.
    if (entry.index === want.index && entry.term === want.term) {
      return { ...entry, data: entry.data.slice() };
    }
  }
  throw walCorrupt(path, want.offset, `entry ${want.index} no longer reads as it was written`);
}
