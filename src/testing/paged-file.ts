/**
 * Contents of one simulated file: what readers see (the page cache) beside what the medium holds.
 *
 * A write changes the cache alone. A sync captures what is dirty when it is called and puts that on
 * the medium when it completes. At a power loss each 512-byte sector that was written since shows,
 * by chance, one of the versions it had: the last durable one (zeros if there was none), one captured
 * by a sync that was under way, or the newest. Changes of size are journaled as in ext4: a prefix of
 * them survives.
 */
import { type Random, randomInt } from '../base/prng.js';
import { type SectorRange, SectorRanges } from './sector-ranges.js';

/**
 * Bytes that reach the medium together or not at all.
 *
 * @since 0.1.0
 */
export const sectorBytes: number = 512;

interface CapturedRun extends SectorRange {
  readonly bytes: Uint8Array;
}

/**
 * What a sync under way will make durable.
 *
 * @since 0.1.0
 */
export interface FileCapture {
  readonly runs: readonly CapturedRun[];
  /** Each size the file took since the capture before, in order. */
  readonly sizes: number[];
}

/**
 * What becomes of captured data: on the medium; forgotten, though readable; or as dirty as before.
 *
 * @since 0.1.0
 */
export type CaptureOutcome = 'durable' | 'lost' | 'kept';

/**
 * What a power loss leaves in a sector of a file that grew over it and whose data did not get there:
 * zeros, as of a file system that orders data before sizes, or what some other file left there.
 *
 * @since 0.1.0
 */
export type SectorFill = 'zeros' | 'garbage';

/**
 * One file; names and handles are kept elsewhere.
 *
 * @since 0.1.0
 */
export class PagedFile {
  /** When the newest sync under way ends, in virtual microseconds: captures settle in order. */
  syncEndUs = 0;
  #cache = new Uint8Array(0);
  #size = 0;
  /** Zero beyond `#durableSize`, like the cache beyond `#size`. */
  #durable = new Uint8Array(0);
  #durableSize = 0;
  readonly #dirty = new SectorRanges();
  /** Sizes taken since the last capture. */
  #sizes: number[] = [];
  #captures: FileCapture[] = [];

  /** As readers see it, in bytes. */
  get size(): number {
    return this.#size;
  }

  /** A copy of up to `length` bytes from `offset`. */
  read(offset: number, length: number): Uint8Array {
    return this.#cache.slice(offset, Math.min(this.#size, offset + length));
  }

  /** Writes the chunks back to back from `offset`. */
  write(offset: number, chunks: readonly Uint8Array[]): void {
    let end = offset;
    for (const chunk of chunks) end += chunk.length;
    if (end === offset) return;
    if (end > this.#size) this.#grow(end);
    let at = offset;
    for (const chunk of chunks) {
      this.#cache.set(chunk, at);
      at += chunk.length;
    }
    this.#dirty.add({ lo: Math.floor(offset / sectorBytes), hi: Math.ceil(end / sectorBytes) });
  }

  /** Cuts, or extends with zeros. */
  truncate(size: number): void {
    if (size > this.#size) return this.#grow(size);
    if (size === this.#size) return;
    this.#cache.fill(0, size, this.#size);
    this.#size = size;
    this.#sizes.push(size);
    // The blocks behind the cut are freed: nothing is left to write there.
    this.#dirty.removeFrom(Math.ceil(size / sectorBytes));
  }

  /** Begins a sync. Captures are settled in the order in which they were made. */
  capture(): FileCapture {
    const runs = this.#dirty.take().map(({ lo, hi }) => {
      return { lo, hi, bytes: this.#cache.slice(lo * sectorBytes, hi * sectorBytes) };
    });
    const capture = { runs, sizes: this.#sizes };
    this.#sizes = [];
    this.#captures.push(capture);
    return capture;
  }

  /**
   * Ends a sync: makes its capture durable, forgets it, or leaves it to a later sync. Forgotten data
   * stays readable and is no longer dirty, so that no later sync writes it: what Linux does after a
   * failed writeback on ext4 and XFS (Rebello et al., ATC'20).
   */
  settle(capture: FileCapture, outcome: CaptureOutcome): void {
    this.#captures = this.#captures.filter((other) => other !== capture);
    if (outcome === 'lost') return;
    if (outcome === 'kept') return this.#putBack(capture);
    for (const size of capture.sizes) this.#setDurableSize(size);
    for (const run of capture.runs) this.#storeSectors(run, run);
  }

  /** The process died and the kernel lives on: it completes the syncs under way. */
  finishCaptures(): void {
    for (const capture of this.#captures) this.settle(capture, 'durable');
  }

  /** Changes one bit, in the cache and on the medium. */
  flipBit(offset: number, bit: number): void {
    if (offset < this.#size) this.#cache[offset]! ^= 1 << bit;
    if (offset < this.#durableSize) this.#durable[offset]! ^= 1 << bit;
  }

  /** A file of its own with what readers see, all of it on the medium. */
  copy(): PagedFile {
    const file = new PagedFile();
    file.write(0, [this.read(0, this.#size)]);
    file.settle(file.capture(), 'durable');
    return file;
  }

  /**
   * Loses power: afterwards cache and medium agree.
   *
   * @param random - decides what survives
   * @param fill - see {@link SectorFill}; default zeros
   */
  crash(random: Random, fill: SectorFill = 'zeros'): void {
    const mode = (['lost', 'kept', 'mixed', 'mixed'] as const)[randomInt(random, 4)]!;
    const keeps = (): boolean =>
      mode === 'kept' || (mode === 'mixed' && randomInt(random, 2) === 1);
    const stages = [...this.#captures, this.capture()];
    const sizes = stages.flatMap((stage) => stage.sizes);
    let left = mode === 'kept' ? sizes.length : 0;
    if (mode === 'mixed') left = randomInt(random, sizes.length + 1);
    // A block that a lost cut would have freed cannot hold what was written after the cut.
    const end = this.#firstSectorFreed(sizes, left);
    const missing = new Set<number>();
    const fresh = Math.ceil(this.#durableSize / sectorBytes);
    for (const stage of stages) {
      const kept = stage.sizes.slice(0, left);
      left -= kept.length;
      for (const size of kept) this.#setDurableSize(size);
      for (const run of stage.runs) {
        for (let lo = run.lo; lo < run.hi; lo += 1) {
          if (keeps() && lo < end) {
            this.#storeSectors(run, { lo, hi: lo + 1 });
            missing.delete(lo);
          } else if (lo >= fresh) {
            missing.add(lo);
          }
        }
      }
    }
    if (fill === 'garbage') this.#fillWithGarbage(missing, random);
    this.#durable.fill(0, this.#durableSize);
    this.#cache = this.#durable.slice();
    this.#size = this.#durableSize;
    this.#captures = [];
  }

  #putBack(capture: FileCapture): void {
    const end = Math.ceil(this.#size / sectorBytes);
    for (const { lo, hi } of capture.runs) {
      if (lo < end) this.#dirty.add({ lo, hi: Math.min(hi, end) });
    }
    // They came before those of a sync that is under way, and must not be made durable behind them.
    const later = this.#captures[0]?.sizes ?? this.#sizes;
    later.unshift(...capture.sizes);
  }

  /** Never zeros throughout: a sector of zeros would pass for one that was not written. */
  #fillWithGarbage(sectors: ReadonlySet<number>, random: Random): void {
    for (const sector of sectors) {
      const from = sector * sectorBytes;
      const to = Math.min(from + sectorBytes, this.#durableSize);
      for (let at = from; at < to; at += 1) this.#durable[at] = 1 + randomInt(random, 255);
    }
  }

  #grow(size: number): void {
    this.#cache = withCapacity(this.#cache, size);
    this.#size = size;
    this.#sizes.push(size);
  }

  /** Lowest whole sector behind a cut that did not survive. */
  #firstSectorFreed(sizes: readonly number[], kept: number): number {
    let first = Number.POSITIVE_INFINITY;
    let before = kept === 0 ? this.#durableSize : (sizes[kept - 1] as number);
    for (const size of sizes.slice(kept)) {
      if (size < before) first = Math.min(first, Math.ceil(size / sectorBytes));
      before = size;
    }
    return first;
  }

  #setDurableSize(size: number): void {
    if (size < this.#durableSize) this.#durable.fill(0, size);
    this.#durable = withCapacity(this.#durable, size);
    this.#durableSize = size;
  }

  /** Puts the sectors `part` of a captured run on the medium. */
  #storeSectors(run: CapturedRun, part: SectorRange): void {
    this.#durable = withCapacity(this.#durable, part.hi * sectorBytes);
    const from = (part.lo - run.lo) * sectorBytes;
    this.#durable.set(
      run.bytes.subarray(from, from + (part.hi - part.lo) * sectorBytes),
      part.lo * sectorBytes,
    );
  }
}

/** The same bytes with room for at least `size`, zeros behind; capacity is a multiple of a sector. */
function withCapacity(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  if (size <= bytes.length) return bytes;
  const wanted = Math.max(size, 2 * bytes.length);
  const grown = new Uint8Array(Math.ceil(wanted / sectorBytes) * sectorBytes);
  grown.set(bytes);
  return grown;
}
