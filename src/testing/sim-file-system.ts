/**
 * The file system of one incarnation on the disk of its machine.
 */
import { type Crc32, crc32 } from '../base/crc32.js';
import { type KontikiErrorOf, kontikiError } from '../base/errors.js';
import type { DirectoryLock, FileSystem, StorageFile } from '../storage/file-system.js';
import { ancestorsOf, normalPath, parentOf } from './disk-path.js';
import type { Incarnation } from './incarnation.js';
import { PagedFile } from './paged-file.js';
import type { SimDisk } from './sim-disk.js';
import { SimStorageFile } from './sim-storage-file.js';

/**
 * A mount; `SimDisk.mount` makes it.
 *
 * @since 0.1.0
 */
export class SimFileSystem implements FileSystem {
  readonly crc32: Crc32 = crc32;
  readonly #disk: SimDisk;
  readonly #incarnation: Incarnation;

  /**
   * @param disk - what is mounted
   * @param incarnation - by whom
   */
  constructor(disk: SimDisk, incarnation: Incarnation) {
    this.#disk = disk;
    this.#incarnation = incarnation;
  }

  makeDirectory(path: string): Promise<void> {
    return this.#run('nameUs', () => {
      for (const folder of ancestorsOf(normalPath(path))) {
        const node = this.#disk.names.lookup(folder);
        if (node === undefined) {
          this.#disk.names.change({ kind: 'link', path: folder, node: 'directory' });
          this.#trace('fs.make-directory', folder);
        } else if (node !== 'directory') {
          throw failure('EEXIST', folder);
        }
      }
    });
  }

  list(path: string): Promise<readonly string[]> {
    return this.#run('nameUs', () => this.#disk.names.children(normalPath(path)));
  }

  open(path: string, mode: 'create' | 'read' | 'read-write'): Promise<StorageFile> {
    return this.#run('nameUs', () => {
      const normal = normalPath(path);
      if (this.#disk.openFiles >= this.#disk.openFilesMax) throw failure('EMFILE', path);
      const file = mode === 'create' ? this.#create(normal) : this.#existing(normal);
      const writable = mode !== 'read';
      const [disk, incarnation] = [this.#disk, this.#incarnation];
      disk.openFiles += 1;
      return new SimStorageFile({ disk, incarnation, file, path: normal, writable });
    });
  }

  readFile(path: string): Promise<Uint8Array | undefined> {
    return this.#run('readUs', () => {
      const node = this.#disk.names.lookup(normalPath(path));
      if (node === undefined) return undefined;
      if (node === 'directory') throw failure('EISDIR', path);
      if (this.#disk.takeReadFault(node)) throw failure('EIO', path);
      return node.read(0, node.size);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run('nameUs', () => {
      const [source, target] = [normalPath(from), normalPath(to)];
      const { names } = this.#disk;
      const node = names.lookup(source);
      if (node === undefined || source === '') throw failure('ENOENT', from);
      if (source === target) return;
      this.#checkParent(target);
      const replaced = names.lookup(target);
      const isMixed = (replaced === 'directory') !== (node === 'directory');
      if (replaced !== undefined && isMixed) throw failure('ENOTDIR', to);
      if (replaced === 'directory' && names.children(target).length > 0) {
        throw failure('ENOTEMPTY', to);
      }
      if (target.startsWith(`${source}/`)) throw failure('EINVAL', to);
      names.change({ kind: 'rename', path: source, to: target, node });
      this.#trace('fs.rename', source, target);
    });
  }

  remove(path: string): Promise<void> {
    return this.#run('nameUs', () => {
      const normal = normalPath(path);
      const { names } = this.#disk;
      const isThere = normal !== '' && names.lookup(normal) !== undefined;
      this.#disk.onRemove?.(normal, isThere ? names.removeTree(normal) : []);
      if (isThere) this.#trace('fs.remove', normal);
    });
  }

  syncDirectory(path: string): Promise<void> {
    const { names } = this.#disk;
    const captured = names.capture(normalPath(path));
    return this.#run('syncUs', () => {
      this.#checkDirectory(normalPath(path));
      const fault = this.#disk.takeDirectoryFault(normalPath(path));
      if (fault === undefined) names.settle(captured);
      this.#trace(fault === undefined ? 'fs.sync-directory' : 'fs.sync-failed', path);
      if (fault !== undefined && fault.reports !== 'success') throw failure('EIO', path);
    });
  }

  lock(path: string): Promise<DirectoryLock> {
    return this.#run('nameUs', () => {
      const normal = normalPath(path);
      this.#checkDirectory(normal);
      const { locks } = this.#disk;
      if (locks.has(normal)) throw kontikiError('DIR_LOCKED', `${path} is locked`);
      locks.add(normal);
      let held = true;
      const release = (): void => {
        if (held) locks.delete(normal);
        held = false;
      };
      return { release: () => this.#run('nameUs', release) };
    });
  }

  #create(path: string): PagedFile {
    this.#checkParent(path);
    if (this.#disk.names.lookup(path) !== undefined) throw failure('EEXIST', path);
    const file = new PagedFile();
    this.#disk.names.change({ kind: 'link', path, node: file });
    this.#trace('fs.create', path);
    return file;
  }

  #existing(path: string): PagedFile {
    const node = this.#disk.names.lookup(path);
    if (node === undefined) throw failure('ENOENT', path);
    if (node === 'directory') throw failure('EISDIR', path);
    return node;
  }

  #checkParent(path: string): void {
    if (path === '') throw failure('EISDIR', path);
    this.#checkDirectory(parentOf(path));
  }

  #checkDirectory(path: string): void {
    const node = this.#disk.names.lookup(path);
    if (node === undefined) throw failure('ENOENT', path);
    if (node !== 'directory') throw failure('ENOTDIR', path);
  }

  #run<T>(latency: 'nameUs' | 'readUs' | 'syncUs', effect: () => T): Promise<T> {
    return this.#incarnation.settle(this.#disk.delayUs(latency), effect);
  }

  #trace(kind: string, ...paths: readonly string[]): void {
    this.#incarnation.scheduler.trace(kind, this.#incarnation.machine, ...paths);
  }
}

/** The error of a platform call, as `storage/node-fs` would hand it on. */
function failure(reason: string, path: string): KontikiErrorOf<'STORAGE_IO'> {
  const cause = Object.assign(new Error(reason), { code: reason });
  return kontikiError('STORAGE_IO', `${reason}: '${path}'`, { cause });
}
