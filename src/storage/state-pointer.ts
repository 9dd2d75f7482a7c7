/**
 * Which folder holds the state: one line in a small file, replaced by rename. A directory that never
 * installed a snapshot has none, and its state is in `state/`.
 *
 *     kontiki-state 1 state-00000000000000c8 1c291ca3
 *
 * The last word is a CRC-32 over the text before it.
 */
import { replaceAdvice, upgradeAdvice } from '../base/advice.js';
import { utf8Bytes, utf8Text } from '../base/bytes.js';
import { kontikiError } from '../base/errors.js';
import type { FileSystem } from './file-system.js';

/** Name of the file in the data directory. @since 0.1.0 */
export const statePointerName = 'state.current';

/** Name of the folder of a state that came from no snapshot. @since 0.1.0 */
export const firstStateName = 'state';

const magic = 'kontiki-state';
const format = 1;
const namePattern = /^state-[0-9a-f]{16}$/;

/**
 * Name of the folder for the state of a snapshot.
 *
 * @param appliedIndex - last entry that is in it
 * @since 0.1.0
 */
export function stateName(appliedIndex: number): string {
  return `${firstStateName}-${appliedIndex.toString(16).padStart(16, '0')}`;
}

/** Whether a name in the data directory is that of a state's folder. @since 0.1.0 */
export function isStateName(name: string): boolean {
  return name === firstStateName || namePattern.test(name);
}

/**
 * Name of the folder that holds the state; `undefined` without a pointer.
 *
 * @throws {KontikiError} STATE_CORRUPT, FORMAT_UNSUPPORTED, STORAGE_IO
 * @since 0.1.0
 */
export async function readStatePointer(fs: FileSystem, dir: string): Promise<string | undefined> {
  const path = `${dir}/${statePointerName}`;
  const bytes = await fs.readFile(path);
  if (bytes === undefined) return undefined;
  const text = utf8Text(bytes);
  const [, body = '', version = '', name = '', crc] =
    /^((\S+ \d+) (\S+) )([0-9a-f]{8})\n$/.exec(text)?.map(String) ?? [];
  const isIntact = crc === checksum(fs, body) && version.startsWith(`${magic} `);
  if (isIntact && Number(version.slice(magic.length)) > format) {
    const found = `${path} has format${version.slice(magic.length)}`;
    const message = `${found}, this release reads ${format}: ${upgradeAdvice}`;
    throw kontikiError('FORMAT_UNSUPPORTED', message);
  }
  if (isIntact && isStateName(name)) return name;
  throw kontikiError(
    'STATE_CORRUPT',
    `${path} is damaged: nobody can tell which state is this member's; ${replaceAdvice}`,
  );
}

/**
 * Name of the folder that holds the state, or is to hold it when there is none yet.
 *
 * @param dir - a data directory
 * @throws {KontikiError} STATE_CORRUPT when the pointer is damaged or gone, or the folder it names is;
 *   FORMAT_UNSUPPORTED, STORAGE_IO
 * @since 0.1.0
 */
export async function findState(fs: FileSystem, dir: string): Promise<string> {
  const pointed = await readStatePointer(fs, dir);
  const names = (await fs.list(dir)).filter(isStateName);
  const current = pointed ?? firstStateName;
  // The first folder goes only when there is a pointer; a load of a snapshot leaves it alone.
  const isMissing = !names.includes(current) && (pointed !== undefined || names.length > 0);
  if (!isMissing) return current;
  const lost = pointed === undefined ? statePointerName : `${pointed}/`;
  throw kontikiError(
    'STATE_CORRUPT',
    `expected ${lost} in ${dir}, found ${names.join(', ') || 'no state'}; ${replaceAdvice}`,
  );
}

/**
 * Switches to another folder, durably when it resolves; after a crash to it or not at all.
 *
 * @throws {KontikiError} NO_SPACE: nothing is changed; STORAGE_IO
 * @since 0.1.0
 */
export async function writeStatePointer(fs: FileSystem, dir: string, name: string): Promise<void> {
  const temporary = `${dir}/${statePointerName}.tmp`;
  // Left over when a process died here.
  await fs.remove(temporary);
  const file = await fs.open(temporary, 'create');
  try {
    const body = `${magic} ${format} ${name} `;
    await file.write(0, [utf8Bytes(`${body}${checksum(fs, body)}\n`)]);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await fs.rename(temporary, `${dir}/${statePointerName}`);
    await fs.syncDirectory(dir);
  } catch (cause) {
    // Not again as a whole, however little it is: a crash now could leave either name.
    throw kontikiError('STORAGE_IO', `the switch to ${name} failed, or is not durable`, { cause });
  }
}

function checksum(fs: FileSystem, body: string): string {
  return fs.crc32(utf8Bytes(body)).toString(16).padStart(8, '0');
}
