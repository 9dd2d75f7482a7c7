/**
 * The newest state of a plain machine on its disk, replaced as a whole.
 *
 *     checksum of the rest | applied index | state
 */
import { concatBytes } from '../../base/bytes.js';
import { kontikiError } from '../../base/errors.js';
import { getUint32, getUint53, setUint32, setUint53 } from '../../base/integers.js';
import type { FileSystem } from '../../storage/file-system.js';

const name = 'machine.state';
const headBytes = 12;

/** A state and the last entry in it. @since 0.1.0 */
export interface StoredState {
  readonly appliedIndex: number;
  readonly state: Uint8Array;
}

/**
 * @throws {KontikiError} STATE_CORRUPT, STORAGE_IO
 * @since 0.1.0
 */
export async function readPlainState(
  fs: FileSystem,
  dir: string,
): Promise<StoredState | undefined> {
  const bytes = await fs.readFile(`${dir}/${name}`);
  if (bytes === undefined) return undefined;
  if (bytes.length < headBytes || getUint32(bytes, 0) !== fs.crc32(bytes.subarray(4))) {
    throw kontikiError('STATE_CORRUPT', `${dir}/${name}: the checksum is wrong`);
  }
  return { appliedIndex: getUint53(bytes, 4), state: bytes.slice(headBytes) };
}

/**
 * Durable when it resolves; after a crash it is the old or the new one. One call at a time.
 *
 * @throws {KontikiError} NO_SPACE, STORAGE_IO
 * @since 0.1.0
 */
export async function writePlainState(
  fs: FileSystem,
  dir: string,
  { appliedIndex, state }: StoredState,
): Promise<void> {
  const head = new Uint8Array(headBytes);
  setUint53(head, 4, appliedIndex);
  const bytes = concatBytes([head, state]);
  setUint32(bytes, 0, fs.crc32(bytes.subarray(4)));
  const temporary = `${dir}/${name}.tmp`;
  // Left over when a process died here.
  await fs.remove(temporary);
  const file = await fs.open(temporary, 'create');
  try {
    await file.write(0, [bytes]);
    await file.sync();
  } finally {
    await file.close();
  }
  await fs.rename(temporary, `${dir}/${name}`);
  await fs.syncDirectory(dir);
}
