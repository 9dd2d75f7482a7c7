/** A file system in memory that notes every step and can hold or fail any of them. */
import { crc32 } from '../../../src/base/crc32.js';
import { kontikiError } from '../../../src/base/errors.js';
import type { FileSystem, StorageFile } from '../../../src/storage/file-system.js';

export interface Step {
  readonly kind: 'create' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove' | 'sync-directory';
  readonly path: string;
  readonly offset?: number;
  readonly length?: number;
}

/** A file keeps its bytes whatever becomes of its name. */
interface FakeFile {
  bytes: Uint8Array;
  /** Its newest name. */
  path: string;
}

/** All files, by path. */
export type Image = ReadonlyMap<string, Uint8Array>;

export class FakeFiles implements FileSystem {
  readonly crc32 = crc32;
  readonly steps: Step[] = [];
  /** Called before each step: throws to make it fail, or gives a promise to hold it. */
  before: ((step: Step) => Promise<void> | void) | undefined;
  /** How much of a write that fails takes effect, of 1. */
  failedWritePart = 0;
  /** Files that are open now. */
  openFiles = 0;
  readonly #files = new Map<string, FakeFile>();

  constructor(image: Image = new Map()) {
    for (const [path, bytes] of image) this.#files.set(path, { bytes: bytes.slice(), path });
  }

  /** A copy of all files. */
  image(): Map<string, Uint8Array> {
    return new Map([...this.#files].map(([path, { bytes }]) => [path, bytes.slice()]));
  }

  /** Changes what a file holds, behind everyone's back. */
  put(path: string, bytes: Uint8Array): void {
    const file = this.#files.get(path);
    if (file === undefined) throw new Error(`${path} is missing`);
    file.bytes = bytes.slice();
  }

  count(kind: Step['kind']): number {
    return this.steps.filter((step) => step.kind === kind).length;
  }

  async makeDirectory(): Promise<void> {}

  async list(path: string): Promise<readonly string[]> {
    const names = [...this.#files.keys()].filter((name) => name.startsWith(`${path}/`));
    return names.map((name) => name.slice(path.length + 1)).sort();
  }

  async open(path: string, mode: 'create' | 'read' | 'read-write'): Promise<StorageFile> {
    if (mode === 'create') {
      if (this.#files.has(path)) throw kontikiError('STORAGE_IO', `${path} exists`);
      await this.#step({ kind: 'create', path });
      this.#files.set(path, { bytes: new Uint8Array(), path });
    }
    const file = this.#files.get(path);
    if (file === undefined) throw kontikiError('STORAGE_IO', `${path} is missing`);
    this.openFiles += 1;
    return this.#handle(file);
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    return this.#files.get(path)?.bytes.slice();
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step({ kind: 'rename', path: from });
    const file = this.#files.get(from);
    if (file === undefined) throw kontikiError('STORAGE_IO', `${from} is missing`);
    if (this.#files.has(to)) throw new Error(`a log replaces nothing: ${to}`);
    this.#files.delete(from);
    this.#files.set(to, file);
    file.path = to;
  }

  async remove(path: string): Promise<void> {
    if (!this.#files.has(path)) return;
    await this.#step({ kind: 'remove', path });
    this.#files.delete(path);
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#step({ kind: 'sync-directory', path });
  }

  async lock(): Promise<never> {
    throw new Error('a log locks nothing');
  }

  #handle(file: FakeFile): StorageFile {
    let isOpen = true;
    const bytes = (): Uint8Array => {
      if (!isOpen) throw kontikiError('STORAGE_IO', `${file.path} is closed`);
      return file.bytes;
    };
    const resize = (size: number): Uint8Array => {
      const resized = new Uint8Array(size);
      resized.set(bytes().subarray(0, size));
      file.bytes = resized;
      return resized;
    };
    return {
      size: async () => bytes().length,
      read: async (offset, length) => bytes().slice(offset, offset + length),
      write: async (offset, chunks) => {
        const all = Buffer.concat(chunks);
        const put = (written: Uint8Array): void => {
          const end = offset + written.length;
          const target = end > bytes().length ? resize(end) : bytes();
          target.set(written, offset);
        };
        try {
          await this.#step({ kind: 'write', path: file.path, offset, length: all.length });
        } catch (error) {
          put(all.subarray(0, Math.floor(all.length * this.failedWritePart)));
          throw error;
        }
        put(all);
      },
      sync: () => this.#step({ kind: 'sync', path: file.path }),
      truncate: async (size) => {
        await this.#step({ kind: 'truncate', path: file.path, offset: size });
        resize(size);
      },
      close: async () => {
        if (isOpen) this.openFiles -= 1;
        isOpen = false;
      },
    };
  }

  async #step(step: Step): Promise<void> {
    await this.before?.(step);
    this.steps.push(step);
  }
}

/** Steps that wait for each other: `before` of a {@link FakeFiles} that stops at some of them. */
export class Gate {
  readonly #isHeld: (step: Step) => boolean;
  #waiting: (() => void)[] = [];
  #isOpen = false;

  constructor(isHeld: (step: Step) => boolean) {
    this.#isHeld = isHeld;
  }

  /** How many steps stand still. */
  get waiting(): number {
    return this.#waiting.length;
  }

  readonly before = (step: Step): Promise<void> | undefined => {
    if (this.#isOpen || !this.#isHeld(step)) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  };

  /** Lets what waits go on. */
  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Holds nothing any more. */
  open(): void {
    this.#isOpen = true;
    this.release();
  }
}

/** Lets everything run that needs no outside event. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
