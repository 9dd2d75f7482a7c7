/**
 * Writes a log down for people, record by record, up to where it ends or is damaged. It verifies what
 * opening verifies and changes nothing.
 */
import { isKontikiError, type KontikiErrorOf } from '../../base/errors.js';
import type { ConfState } from '../../raft/configuration.js';
import type { LogId } from '../../raft/types.js';
import type { FileSystem } from '../file-system.js';
import { formatVersion } from './format.js';
import { type RecordPlace, readWal, type WalSummary } from './reader.js';
import type { WalRecord } from './record.js';

/**
 * @since 0.1.0
 */
export interface DumpWalOptions {
  readonly fs: FileSystem;
  /** Folder of the log. */
  readonly dir: string;
  /** Raft group the records must belong to; default 0. */
  readonly groupId?: number | undefined;
  /** Takes one line at a time, without its end. */
  readonly print: (line: string) => void;
}

/**
 * How a dump ended: with all of the log, or at the first damage.
 *
 * @since 0.1.0
 */
export type WalDump =
  | { readonly summary: WalSummary; readonly damage?: undefined }
  | { readonly summary?: undefined; readonly damage: KontikiErrorOf<'WAL_CORRUPT'> };

/**
 * Prints a line for each segment, `format` and path, and one for each record: byte offset, sequence
 * of the write group, kind, contents.
 *
 * @returns what the log holds, or its first damage with file and offset; both are printed last
 * @throws {KontikiError} FORMAT_UNSUPPORTED, STORAGE_IO
 * @since 0.1.0
 */
export async function dumpWal(options: DumpWalOptions): Promise<WalDump> {
  const { fs, dir, groupId, print } = options;
  let segment = 0;
  const visit = (record: WalRecord, place: RecordPlace): void => {
    if (place.segment !== segment) print(`format ${formatVersion}  ${place.file}`);
    segment = place.segment;
    const offset = String(place.offset).padStart(10);
    print(`${offset}  #${place.sequence}  ${record.kind.padEnd(13)}  ${describeRecord(record)}`);
  };
  try {
    const summary = await readWal({ fs, dir, groupId, visit });
    printEnd(summary, print);
    return { summary };
  } catch (error) {
    if (!isKontikiError(error, 'WAL_CORRUPT')) throw error;
    print(`damage  ${error.file} byte ${error.offset}: ${error.message}`);
    return { damage: error };
  }
}

function printEnd({ history, leftOver, tail, torn }: WalSummary, print: (line: string) => void) {
  if (torn !== undefined) {
    print(
      `torn  ${torn.file} byte ${torn.offset}: the last write never completed, opening cuts it`,
    );
  }
  for (const path of leftOver)
    print(`left over  ${path}: before the log's start, opening removes it`);
  if (tail === undefined) return print('end  there is no log');
  const { base, last } = history.terms;
  const entries = last > base ? `entries ${base + 1} to ${last}` : 'no entries';
  print(`end  segment ${tail.segment} byte ${tail.end}: ${entries}`);
}

/**
 * One record in words; of an entry's data the length alone, for it may be somebody's secret.
 *
 * @since 0.1.0
 */
export function describeRecord(record: WalRecord): string {
  switch (record.kind) {
    case 'entry': {
      const { data, index, term, type } = record.entry;
      return `${index}, term ${term}, ${type}, ${data.length} bytes`;
    }
    case 'hard-state': {
      const { commit, term, vote } = record.hardState;
      return `term ${term}, vote ${vote === 0 ? 'none' : vote}, commit ${commit}`;
    }
    case 'configuration':
      return `at entry ${record.applied.index}: ${describeMembers(record.applied.configuration)}`;
    case 'installing': {
      const { configuration, last } = record.snapshot;
      return `snapshot of ${describeId(last)}: ${describeMembers(configuration)}`;
    }
    case 'installed':
      return `snapshot of ${describeId(record.last)}`;
    default:
      return `behind ${describeId(record.position)}, the log starts with segment ${record.segment}`;
  }
}

function describeId({ index, term }: LogId): string {
  return `entry ${index} of term ${term}`;
}

function describeMembers(configuration: ConfState): string {
  const { voters = [], votersOutgoing = [], learners = [], learnersNext = [] } = configuration;
  const lists = [
    ['voters', voters],
    ['outgoing', votersOutgoing],
    ['learners', learners],
    ['learners next', learnersNext],
  ] as const;
  const shown = lists
    .filter(([name, ids]) => ids.length > 0 || name === 'voters')
    .map(([name, ids]) => `${name} ${ids.join(' ') || 'none'}`);
  if (configuration.autoLeave === true) shown.push('left automatically');
  return shown.join(', ');
}
