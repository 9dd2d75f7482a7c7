/**
 * The versions of keys that were read one by one, in two generations: what is not asked for again while
 * the young one fills up goes with the old one.
 */
import type { BinaryString } from '../base/bytes.js';
import { ownVersion } from './record-room.js';
import type { KeyVersion } from './types.js';

/**
 * What a kept version takes beside key and value: record header, objects, and what an engine's
 * allocation costs; measured (docs/adr/0012-hot-reads.md).
 */
const versionOverhead = 480;

/**
 * Bytes that a kept version is counted with.
 *
 * @since 0.1.0
 */
export function versionBytes({ key, value }: KeyVersion): number {
  return versionOverhead + 2 * key.length + value.length;
}

/**
 * Versions by key, the most recently read ones.
 *
 * @since 0.1.0
 */
export class PointCache {
  readonly #generationBytesMax: number;
  #young = new Map<BinaryString, KeyVersion>();
  #old = new Map<BinaryString, KeyVersion>();
  #youngBytes = 0;
  #oldBytes = 0;

  /** @param bytesMax - of all versions, as {@link versionBytes} counts */
  constructor(bytesMax: number) {
    this.#generationBytesMax = bytesMax / 2;
  }

  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  /** `undefined`: not known here. */
  get(key: BinaryString): KeyVersion | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.delete(key);
    this.set(old);
    return old;
  }

  /** Keeps a version in place of the one of its key. */
  set(version: KeyVersion): void {
    this.delete(version.key);
    const bytes = versionBytes(version);
    if (bytes > this.#generationBytesMax) return;
    if (this.#youngBytes + bytes > this.#generationBytesMax) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(version.key, ownVersion(version));
    this.#youngBytes += bytes;
  }

  delete(key: BinaryString): void {
    const young = this.#young.get(key);
    if (young !== undefined) {
      this.#young.delete(key);
      this.#youngBytes -= versionBytes(young);
      return;
    }
    const old = this.#old.get(key);
    if (old === undefined) return;
    this.#old.delete(key);
    this.#oldBytes -= versionBytes(old);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngBytes = 0;
    this.#oldBytes = 0;
  }
}
