/**
 * SHA-256 (FIPS 180-4) in portable code: for identifiers that must come out equal on every platform,
 * browsers included, and as the fallback for bulk data. Where the platform has a hash of its own, as
 * `node:crypto` has, that one is handed in as a {@link RunningHash}; it is several times as fast.
 */

const roundConstants = Int32Array.from(firstPrimes(64), (p) => rootFraction(p, 3n));
const initialState = firstPrimes(8).map((p) => rootFraction(p, 2n));
const blockBytes = 64;

/**
 * A hash of bytes that come in pieces. `createHash('sha256')` of `node:crypto` is one.
 *
 * @since 0.1.0
 */
export interface RunningHash {
  /** Takes further bytes, before the call returns. */
  update(bytes: Uint8Array): unknown;
  /** The hash of all of them; ends the object's life. */
  digest(): Uint8Array;
}

/**
 * SHA-256 of bytes that come in pieces.
 *
 * @since 0.1.0
 */
export class Sha256 implements RunningHash {
  readonly #state = Int32Array.from(initialState);
  readonly #schedule = new Int32Array(64);
  /** Bytes of the next block, as far as they have come. */
  readonly #rest = new Uint8Array(blockBytes);
  #length = 0;

  update(bytes: Uint8Array): this {
    let at = 0;
    const held = this.#length % blockBytes;
    this.#length += bytes.length;
    if (held > 0) {
      at = Math.min(blockBytes - held, bytes.length);
      this.#rest.set(bytes.subarray(0, at), held);
      if (held + at < blockBytes) return this;
      this.#compress(this.#rest, 0);
    }
    for (; at + blockBytes <= bytes.length; at += blockBytes) this.#compress(bytes, at);
    this.#rest.set(bytes.subarray(at));
    return this;
  }

  digest(): Uint8Array {
    const length = this.#length;
    const held = length % blockBytes;
    const tail = new Uint8Array(held < 56 ? blockBytes - held : 2 * blockBytes - held);
    tail[0] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(length / 2 ** 29));
    view.setUint32(tail.length - 4, (length << 3) >>> 0);
    this.update(tail);
    const out = new Uint8Array(32);
    const outView = new DataView(out.buffer);
    for (let at = 0; at < 8; at += 1) outView.setInt32(4 * at, this.#state[at] as number);
    return out;
  }

  #compress(bytes: Uint8Array, from: number): void {
    const w = this.#schedule;
    expand(w, bytes, from);
    compress(this.#state, w);
  }
}

/**
 * The SHA-256 digest of `bytes`.
 *
 * @param bytes - any length
 * @returns 32 bytes
 * @since 0.1.0
 */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Sha256().update(bytes).digest();
}

function expand(w: Int32Array, bytes: Uint8Array, from: number): void {
  for (let t = 0, at = from; t < 16; t += 1, at += 4) {
    w[t] =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number);
  }
  for (let t = 16; t < 64; t += 1) {
    const w15 = w[t - 15] as number;
    const w2 = w[t - 2] as number;
    const s0 = rotate(w15, 7) ^ rotate(w15, 18) ^ (w15 >>> 3);
    const s1 = rotate(w2, 17) ^ rotate(w2, 19) ^ (w2 >>> 10);
    w[t] = ((w[t - 16] as number) + s0 + (w[t - 7] as number) + s1) | 0;
  }
}

/** One variable per word: an array of eight would be walked and written 64 times a block. */
function compress(state: Int32Array, w: Int32Array): void {
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let t = 0; t < 64; t += 1) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choose = (e & f) ^ (~e & g);
    const t1 = (h + s1 + choose + (roundConstants[t] as number) + (w[t] as number)) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + s0 + majority) | 0;
  }
  state[0] = ((state[0] as number) + a) | 0;
  state[1] = ((state[1] as number) + b) | 0;
  state[2] = ((state[2] as number) + c) | 0;
  state[3] = ((state[3] as number) + d) | 0;
  state[4] = ((state[4] as number) + e) | 0;
  state[5] = ((state[5] as number) + f) | 0;
  state[6] = ((state[6] as number) + g) | 0;
  state[7] = ((state[7] as number) + h) | 0;
}

function rotate(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by));
}

/** The first 32 bits of the fraction of a root, in exact integers: engines round `cbrt` freely. */
function rootFraction(prime: number, degree: bigint): number {
  const scaled = BigInt(prime) << (32n * degree);
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** degree <= scaled) low = middle;
    else high = middle;
  }
  return Number(BigInt.asIntN(32, low));
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n += 1) {
    if (primes.every((p) => n % p !== 0)) primes.push(n);
  }
  return primes;
}
