/** As many files as the identity file needs, in memory, with every step noted. */
import { crc32 } from '../../src/base/crc32.js';
import type { FileSystem, StorageFile } from '../../src/storage/file-system.js';

export class MemoryFiles implements FileSystem {
  readonly crc32 = crc32;
  readonly files = new Map<string, Uint8Array>();
  readonly steps: string[] = [];
  /** The step, as noted in `steps`, that fails. */
  failAt: string | undefined;

  async makeDirectory(): Promise<void> {}

  async list(): Promise<readonly string[]> {
    return [...this.files.keys()].sort();
  }

  async open(path: string, mode: 'create' | 'read' | 'read-write'): Promise<StorageFile> {
    this.#step(`${mode} ${path}`);
    if (this.files.has(path)) throw new Error(`${path} exists`);
    this.files.set(path, new Uint8Array());
    const unused = () => Promise.reject(new Error('not for these tests'));
    return {
      size: unused,
      read: unused,
      truncate: unused,
      write: async (offset, chunks) => {
        this.#step('write');
        if (offset !== 0 || chunks.length !== 1) throw new Error('one chunk from the start');
        this.files.set(path, Uint8Array.from(chunks[0]!));
      },
      sync: async () => this.#step('sync'),
      close: async () => this.#step('close'),
    };
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    return this.files.get(path);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step(`rename ${from} ${to}`);
    this.files.set(to, this.files.get(from)!);
    this.files.delete(from);
  }

  async remove(path: string): Promise<void> {
    this.#step(`remove ${path}`);
    this.files.delete(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.#step(`sync ${path}`);
  }

  async lock(): Promise<never> {
    throw new Error('not for these tests');
  }

  #step(step: string): void {
    this.steps.push(step);
    if (step === this.failAt) throw new Error(`${step} fails`);
  }
}
