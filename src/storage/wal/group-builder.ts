/**
 * Encodes one write group into a buffer that is used again for later groups. Records are encoded as
 * their batches arrive, while the group before is being synced; only what depends on the position in
 * the file is left for {@link GroupBuilder.seal}.
 */
import { assert } from '../../base/assert.js';
import type { Crc32 } from '../../base/crc32.js';
import type { Entry, HardState } from '../../raft/types.js';
import {
  alignGroup,
  entryHeaderBytes,
  entryTypes,
  groupHeaderBytes,
  groupMagic,
  groupTrailerBytes,
  positionSeed,
  putU64,
  recordHeaderBytes,
  recordTypes,
  trailerMagic,
  viewOf,
} from './format.js';
import { encodeMark } from './mark-codec.js';
import { applyMask } from './mask.js';
import type { WalMark } from './record.js';

/** Where a group goes. */
export interface GroupPosition {
  readonly segment: number;
  readonly offset: number;
  readonly sequence: number;
}

const startBytes = 64 * 1024;
/** A buffer that one large group made longer than this is not kept. */
const keptBytesMax = 4 * 1024 * 1024;
/** Records of a group, in bytes: the field is a u32, and no real batch comes near. */
const bodyBytesMax = 2 ** 31;

export class GroupBuilder {
  readonly #crc32: Crc32;
  readonly #groupId: number;
  #bytes = new Uint8Array(startBytes);
  #view = viewOf(this.#bytes);
  #at = groupHeaderBytes;
  #chainBefore = 0;
  #chain = 0;

  constructor(crc32: Crc32, groupId: number) {
    this.#crc32 = crc32;
    this.#groupId = groupId;
  }

  /** CRC of the record before the group's first. */
  get chainBefore(): number {
    return this.#chainBefore;
  }

  /** CRC of the newest record. */
  get chain(): number {
    return this.#chain;
  }

  /** Where the next record goes, relative to the group. */
  get position(): number {
    return this.#at;
  }

  /** Bytes the group takes. */
  get length(): number {
    return alignGroup(this.#at) + groupTrailerBytes;
  }

  /** Starts an empty group after a record with CRC `chain`. */
  reset(chain: number): void {
    if (this.#bytes.length > keptBytesMax) {
      this.#bytes = new Uint8Array(startBytes);
      this.#view = viewOf(this.#bytes);
    }
    this.#at = groupHeaderBytes;
    this.#chainBefore = chain;
    this.#chain = chain;
  }

  /** Adds a record of an entry; returns its length. */
  addEntry(entry: Entry): number {
    const { data } = entry;
    const body = this.#begin(recordTypes.entry, entryHeaderBytes + data.length);
    const view = this.#view;
    putU64(view, body, entry.term);
    putU64(view, body + 8, entry.index);
    this.#bytes[body + 16] = entryTypes.indexOf(entry.type);
    this.#bytes.set(data, body + entryHeaderBytes);
    return this.#end();
  }

  addHardState(state: HardState): void {
    const body = this.#begin(recordTypes.hardState, 24);
    putU64(this.#view, body, state.term);
    putU64(this.#view, body + 8, state.vote);
    putU64(this.#view, body + 16, state.commit);
    this.#end();
  }

  addMark(mark: WalMark): void {
    const { type, body } = encodeMark(mark);
    const at = this.#begin(type, body.length);
    this.#bytes.set(body, at);
    this.#end();
  }

  /** Completes the group for its place. Once only, then `reset`: until then the bytes are valid. */
  seal(place: GroupPosition): Uint8Array {
    const bodyBytes = this.#at - groupHeaderBytes;
    assert(bodyBytes > 0 && bodyBytes < bodyBytesMax, `wal: a group of ${bodyBytes} bytes`);
    const { length } = this;
    this.#reserve(length);
    applyMask(this.#bytes, groupHeaderBytes, this.#at, place);
    const trailerAt = length - groupTrailerBytes;
    this.#bytes.fill(0, this.#at, trailerAt);
    this.#putHeader(place, bodyBytes);
    this.#view.setUint32(trailerAt, trailerMagic, true);
    const trailerSeed = positionSeed(place.segment, place.offset + trailerAt);
    this.#view.setUint32(trailerAt + 4, (place.sequence ^ trailerSeed) >>> 0, true);
    return this.#bytes.subarray(0, length);
  }

  #putHeader(place: GroupPosition, bodyBytes: number): void {
    const view = this.#view;
    view.setUint32(0, groupMagic, true);
    view.setUint32(4, bodyBytes, true);
    putU64(view, 8, place.sequence);
    view.setUint32(16, this.#chainBefore, true);
    const seed = positionSeed(place.segment, place.offset);
    view.setUint32(20, this.#crc32(this.#bytes.subarray(0, 20), seed), true);
  }

  #begin(type: number, bodyBytes: number): number {
    this.#reserve(this.#at + recordHeaderBytes + bodyBytes);
    const at = this.#at;
    this.#view.setUint32(at + 4, bodyBytes, true);
    this.#view.setUint32(at + 8, this.#groupId, true);
    this.#bytes[at + 12] = type;
    return at + recordHeaderBytes;
  }

  #end(): number {
    const at = this.#at;
    const size = recordHeaderBytes + this.#view.getUint32(at + 4, true);
    this.#chain = this.#crc32(this.#bytes.subarray(at + 4, at + size), this.#chain);
    this.#view.setUint32(at, this.#chain, true);
    this.#at = at + size;
    return size;
  }

  #reserve(size: number): void {
    if (size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}
