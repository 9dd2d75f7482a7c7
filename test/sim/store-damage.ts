// What a disk does to what lies on it, within the budget of reliability §3: each can be taken back, to
// see that whoever refused it had changed nothing.
import { isKontikiError } from '../../src/base/errors.js';
import { type Random, randomInt } from '../../src/base/prng.js';
import type { SimDisk } from '../../src/testing/sim-disk.js';
import type { SimEngineDisk } from '../../src/testing/sim-engine-disk.js';

export interface Damage {
  /** For people. */
  readonly what: string;
  undo(): void;
}

type File = readonly [path: string, bytes: Uint8Array];

const sectorBytes = 512;

/** One bit of one file below a folder. Every file is as likely as any other. */
export function flipOneBit(disk: SimDisk, folder: string, random: Random): Damage {
  const [path, bytes] = pickOf(filesBelow(disk, folder), random);
  const at = { offset: randomInt(random, bytes.length), bit: randomInt(random, 8) };
  disk.flipBit(path, at);
  return { what: `${path} bit ${at.offset}.${at.bit}`, undo: () => disk.flipBit(path, at) };
}

/**
 * What belongs in a sector of any file is in another one as well. No sector of zeros: one of those in
 * the newest group of the log is what a crash leaves, and no log can tell (docs/storage.md).
 */
export function misdirectSector(disk: SimDisk, folder: string, random: Random): Damage {
  const files = filesBelow(disk, folder);
  const full = files.flatMap(sectorsOf).filter(({ bytes }) => bytes.some((byte) => byte !== 0));
  const source = pickOf(full, random);
  const target = pickOf(sectorsOf(pickOf(files, random)), random);
  const differences = target.bytes.map((byte, at) => byte ^ (source.bytes[at] ?? 0));
  const toggle = (): void => {
    for (const [at, bits] of differences.entries()) {
      for (let bit = 0; bit < 8; bit += 1) {
        const isOther = ((bits >> bit) & 1) === 1;
        if (isOther) disk.flipBit(target.path, { offset: target.offset + at, bit });
      }
    }
  };
  toggle();
  const what = `${source.path} at ${source.offset} over ${target.path} at ${target.offset}`;
  return { what, undo: toggle };
}

/** A name that is gone; not that of the newest segment, whose end only the keyspace can tell. */
export function loseName(disk: SimDisk, folder: string, random: Random): Damage {
  const { names } = disk;
  const segments = names.children(`${folder}/wal`).filter((name) => name.endsWith('.wal'));
  const newest = `${folder}/wal/${segments.at(-1)}`;
  const others = filesBelow(disk, folder).filter(([path]) => path !== newest);
  const [path] = pickOf(others, random);
  const node = names.lookup(path);
  names.removeTree(path);
  names.settleAll();
  const undo = (): void => {
    if (node !== undefined) names.change({ kind: 'link', path, node });
    names.settleAll();
  };
  return { what: `${path} lost`, undo };
}

/**
 * A batch that the engine's own log lost while it kept the later ones (reliability §0.6), or one bit of
 * a value. Nothing takes it back.
 */
export function damageEngine(disk: SimEngineDisk, path: string, random: Random): Damage {
  const undo = (): void => {
    throw new Error('the engine has no copy');
  };
  const full = disk
    .view(path)
    .pairs()
    .filter(([, value]) => value.length > 0);
  if (full.length > 0 && randomInt(random, 2) === 0) {
    const [key, value] = pickOf(full, random);
    const offset = randomInt(random, value.length);
    disk.flipBit(path, { key, offset });
    return { what: `value of ${JSON.stringify(key)} at ${offset}`, undo };
  }
  const back = randomInt(random, 6);
  try {
    disk.dropBatch(path, back);
  } catch (error) {
    // There are not so many.
    if (!isKontikiError(error, 'ARGUMENT_INVALID')) throw error;
  }
  return { what: `batch ${back} of ${path}`, undo };
}

/** Codes with which a member may refuse what is damaged. */
export const refusals = [
  'WAL_CORRUPT',
  'STATE_CORRUPT',
  'SNAPSHOT_CORRUPT',
  'FORMAT_UNSUPPORTED',
  // By the peers, of a member that lost the file which says who it is.
  'MEMBER_IDENTITY_CHANGED',
] as const;

/** The code of such a refusal; everything else is thrown again. */
export function refusalOf(error: unknown): (typeof refusals)[number] {
  const code = refusals.find((each) => isKontikiError(error, each));
  if (code === undefined) throw error;
  return code;
}

/** Every file with its bytes. */
export function imageOf(disk: SimDisk): ReadonlyMap<string, Uint8Array> {
  return new Map(disk.names.files().map(([path, file]) => [path, file.read(0, file.size)]));
}

/** Those that have bytes at all. */
function filesBelow(disk: SimDisk, folder: string): File[] {
  const files = [...imageOf(disk)];
  return files.filter(([path, bytes]) => path.startsWith(`${folder}/`) && bytes.length > 0);
}

function sectorsOf([path, bytes]: File) {
  const count = Math.ceil(bytes.length / sectorBytes);
  return Array.from({ length: count }, (_, nth) => {
    const offset = nth * sectorBytes;
    return { path, offset, bytes: bytes.subarray(offset, offset + sectorBytes) };
  });
}

function pickOf<T>(all: readonly T[], random: Random): T {
  return all[randomInt(random, all.length)] as T;
}
