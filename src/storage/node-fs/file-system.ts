/**
 * Node's files as a {@link FileSystem}.
 */
import { open as openFile } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import * as zlib from 'node:zlib';
import { type Crc32, crc32 as portableCrc32 } from '../../base/crc32.js';
import type { FileSystem, StorageFile } from '../file-system.js';
import { makeDirectory, syncDirectory } from './directory.js';
import { DiskThread } from './disk-thread.js';
import { fileCalls, NodeFile } from './file.js';
import { ioError } from './io-error.js';
import { checkInPlace, lockDirectory } from './lock.js';

const flags = { create: 'wx+', read: 'r', 'read-write': 'r+' } as const;

/** Present from Node 20.15; the portable one gives the same numbers. */
const nativeCrc32 = (zlib as { crc32?: (bytes: Uint8Array, seed: number) => number }).crc32;
const crc32: Crc32 =
  nativeCrc32 === undefined ? portableCrc32 : (bytes, seed = 0) => nativeCrc32(bytes, seed);

/** All files of a process share it, and the disk they are on. */
const diskThread = new DiskThread();

/**
 * The platform's file system.
 *
 * @since 0.1.0
 */
export const nodeFileSystem: FileSystem = {
  crc32,
  makeDirectory: (path) => named(`make directory ${path}`, () => makeDirectory(path)),
  list: (path) =>
    named(`list ${path}`, async () => (await unlessMissing(readdir(path)))?.sort() ?? []),
  open: (path, mode, { urgent = false } = {}) =>
    new Promise<StorageFile>((resolve, reject) => {
      if (mode !== 'read') checkInPlace(path);
      openFile(path, flags[mode], 0o600, (error, fd) => {
        if (error) reject(ioError(error, `open ${path}`));
        else resolve(new NodeFile(fd, path, urgent ? diskThread : fileCalls));
      });
    }),
  readFile: (path) =>
    named(`read ${path}`, async () => {
      const buffer = await unlessMissing(readFile(path));
      return buffer && new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    }),
  rename: async (from, to) => {
    checkInPlace(to);
    await named(`rename ${from} to ${to}`, () => rename(from, to));
  },
  remove: async (path) => {
    checkInPlace(path);
    await named(`remove ${path}`, () => rm(path, { recursive: true, force: true }));
  },
  syncDirectory: (path) => named(`sync directory ${path}`, () => syncDirectory(path)),
  lock: (path) => lockDirectory(path),
};

async function named<T>(what: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw ioError(error, what);
  }
}

async function unlessMissing<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined;
    throw error;
  }
}
