/**
 * Reads what LevelDB has in its logs only. The last flush of the last log may be torn by a crash:
 * nobody was told that it was durable, LevelDB passes over it, and the replicated log has it again.
 */
import type { FileSystem } from '../file-system.js';
import { hasUnwrittenSector } from '../wal/sectors.js';
import { MalformedBytes } from './byte-reader.js';
import { type FileDamage, levelCorrupt } from './damage.js';
import { batchEntries, isBefore, type LevelEntry } from './entry.js';
import { type LogFile, readLogFile } from './log-file.js';
import type { Manifest } from './manifest.js';

/** @since 0.1.0 */
export interface LiveLogs {
  readonly logs: number;
  readonly bytes: number;
  /** In the order of LevelDB. */
  readonly entries: readonly LevelEntry[];
  /** A last write that never completed. */
  readonly torn: { readonly file: string; readonly offset: number } | undefined;
}

/**
 * Reads the logs of a database that nobody has open. They are in memory afterwards, as in LevelDB
 * itself: at most two write buffers and two batches.
 *
 * @param dir - folder of the database
 * @param names - of the files in it
 * @throws {KontikiError} STATE_CORRUPT, naming file and offset; STORAGE_IO
 * @since 0.1.0
 */
export async function readLiveLogs(
  fs: FileSystem,
  dir: string,
  names: readonly string[],
  { logNumber, previousLog }: Pick<Manifest, 'logNumber' | 'previousLog'>,
): Promise<LiveLogs> {
  const live = names.filter((name) => {
    const number = logNumberOf(name);
    return number !== undefined && (number >= logNumber || number === previousLog);
  });
  live.sort((a, b) => (logNumberOf(a) as number) - (logNumberOf(b) as number));
  const files: { readonly file: string; readonly bytes: Uint8Array }[] = [];
  for (const name of live) {
    const file = `${dir}/${name}`;
    const bytes = (await fs.readFile(file)) ?? new Uint8Array(0);
    // An open that was cut short, as by a full disk, leaves one behind the last without a word in it.
    if (bytes.length > 0) files.push({ file, bytes });
  }
  const newest = new Map<string, LevelEntry>();
  let bytesRead = 0;
  let torn: LiveLogs['torn'];
  for (const [at, { file, bytes }] of files.entries()) {
    const log = readLogFile(bytes);
    const offset = tornAt(file, bytes, log, at === files.length - 1);
    if (offset !== undefined) torn = { file, offset };
    for (const record of log.records) {
      for (const entry of entriesOf(file, record)) newest.set(entry.key, entry);
    }
    bytesRead += bytes.length;
  }
  const entries = [...newest.values()].sort((a, b) => (isBefore(a, b) ? -1 : 1));
  return { logs: live.length, bytes: bytesRead, entries, torn };
}

/** Number of a log, of which LevelDB has no other files; `undefined` for another name. */
function logNumberOf(name: string): number | undefined {
  const [, digits] = /^(\d+)\.log$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function tornAt(
  file: string,
  bytes: Uint8Array,
  { cutAt, damage, records }: LogFile,
  isLast: boolean,
): number | undefined {
  const first: FileDamage | undefined =
    damage[0] ?? (cutAt === undefined ? undefined : { offset: cutAt, what: 'it is cut' });
  if (first === undefined) return undefined;
  const { offset } = first;
  // A flush is synced before the next one, and a log before the next one is begun.
  const isBehindAll = isLast && (records.at(-1)?.offset ?? 0) <= offset;
  const isUnwritten =
    offset === cutAt || hasUnwrittenSector(bytes, { start: offset, end: bytes.length });
  if (isBehindAll && isUnwritten) return offset;
  throw levelCorrupt(file, first);
}

function entriesOf(file: string, record: LogFile['records'][number]): LevelEntry[] {
  try {
    return batchEntries(record.bytes);
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    throw levelCorrupt(file, { offset: record.offset, what: error.message });
  }
}
