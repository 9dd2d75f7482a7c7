/** Files of one folder in memory: what snapshots need, and no more. */
import { crc32 } from '../../../src/base/crc32.js';
import { kontikiError } from '../../../src/base/errors.js';
import type { FileSystem, StorageFile } from '../../../src/storage/file-system.js';

export class ImageFiles implements FileSystem {
  readonly crc32 = crc32;
  readonly files: Map<string, Uint8Array>;
  openFiles = 0;
  /** Longest read so far. */
  longestRead = 0;

  constructor(files: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.files = new Map(files);
  }

  async makeDirectory(): Promise<void> {}
  async syncDirectory(): Promise<void> {}

  async list(path: string): Promise<readonly string[]> {
    const names = [...this.files.keys()].filter((name) => name.startsWith(`${path}/`));
    return names.map((name) => name.slice(path.length + 1)).sort();
  }

  async open(path: string, mode: 'create' | 'read' | 'read-write'): Promise<StorageFile> {
    if (mode === 'create') this.files.set(path, new Uint8Array());
    if (!this.files.has(path)) throw kontikiError('STORAGE_IO', `${path} is missing`);
    this.openFiles += 1;
    let isOpen = true;
    let bytes = this.files.get(path)!;
    return {
      size: async () => bytes.length,
      read: async (offset, length) => {
        this.longestRead = Math.max(this.longestRead, length);
        return bytes.slice(offset, offset + length);
      },
      write: async (offset, chunks) => {
        const added = Buffer.concat(chunks);
        const next = new Uint8Array(Math.max(bytes.length, offset + added.length));
        next.set(bytes);
        next.set(added, offset);
        bytes = next;
        this.files.set(path, next);
      },
      sync: async () => {},
      truncate: () => Promise.reject(new Error('a snapshot is never cut')),
      close: async () => {
        if (isOpen) this.openFiles -= 1;
        isOpen = false;
      },
    };
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    return this.files.get(path);
  }

  async rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.files.get(from)!);
    this.files.delete(from);
  }

  async remove(path: string): Promise<void> {
    this.files.delete(path);
  }

  async lock(): Promise<never> {
    throw new Error('snapshots lock nothing');
  }
}
