/**
 * Whose state belongs to a data directory: that of a keyspace is in a folder of it, a state machine of
 * one's own keeps its state wherever it likes. The log says it, by the commands in it. A log that was cut
 * may have none, as after a snapshot: then it is what else a keyspace leaves in its directory.
 */
import { isKontikiError } from '../../base/errors.js';
import { Sha256 } from '../../base/sha256.js';
import { ownCommandVersion } from '../../codec/own-command.js';
import { type StatePart, StatePartReader } from '../../codec/state-part-codec.js';
import type { FileSystem } from '../file-system.js';
import { snapshotKind } from '../snapshot-files/header.js';
import { parseSnapshotName } from '../snapshot-files/name.js';
import { FramedFileReader } from '../snapshot-files/reader.js';
import { isStateName, statePointerName } from '../state-pointer.js';
import type { WalRecord } from '../wal/record.js';

/** `own`: a state machine of one's own. @since 0.1.0 */
export type MachineKind = 'keyspace' | 'own';

/**
 * What a record of the log tells; only commands do.
 *
 * @since 0.1.0
 */
export function kindOfRecord(record: WalRecord): MachineKind | undefined {
  if (record.kind !== 'entry' || record.entry.type !== 'normal') return undefined;
  const format = record.entry.data[0] ?? 0;
  // Without data it is the group's own; nobody's command begins with a zero.
  if (format === 0) return undefined;
  return format === ownCommandVersion ? 'own' : 'keyspace';
}

/**
 * @param fs - where the directory is
 * @param dir - a data directory
 * @param logged - what its log told, see {@link kindOfRecord}
 * @returns `undefined` when nothing tells
 * @throws {KontikiError} STORAGE_IO
 * @since 0.1.0
 */
export async function findMachineKind(
  fs: FileSystem,
  dir: string,
  logged: MachineKind | undefined,
): Promise<MachineKind | undefined> {
  if (logged !== undefined) return logged;
  const names = await fs.list(dir);
  if (names.some((name) => isStateName(name) || name === statePointerName)) return 'keyspace';
  const snapshots = `${dir}/snapshots`;
  for (const name of (await fs.list(snapshots)).toReversed()) {
    if (parseSnapshotName(name) === undefined) continue;
    const kind = await kindOfSnapshot(fs, `${snapshots}/${name}`);
    if (kind !== undefined) return kind;
  }
  return undefined;
}

/** By how it begins; a damaged one tells nothing. */
async function kindOfSnapshot(fs: FileSystem, path: string): Promise<MachineKind | undefined> {
  const reader = new FramedFileReader({ fs, path, kind: snapshotKind, hash: new Sha256() });
  const parts = new StatePartReader();
  try {
    let read = await reader.next();
    const appliedIndex = reader.ends?.header.last.index;
    for (; read.done !== true; read = await reader.next()) {
      parts.push(read.value);
      const part = partOf(parts);
      if (part === 'none') return 'own';
      if (part === undefined) continue;
      const isBegin = part.kind === 'begin' && part.appliedIndex === appliedIndex;
      return isBegin ? 'keyspace' : 'own';
    }
    return 'own';
  } catch (error) {
    if (isKontikiError(error, 'SNAPSHOT_CORRUPT')) return undefined;
    if (isKontikiError(error, 'FORMAT_UNSUPPORTED')) return undefined;
    throw error;
  } finally {
    await reader.return();
  }
}

/** `undefined` when more bytes are needed. */
function partOf(parts: StatePartReader): StatePart | 'none' | undefined {
  try {
    return parts.next();
  } catch (error) {
    if (isKontikiError(error, 'FRAME_INVALID')) return 'none';
    throw error;
  }
}
