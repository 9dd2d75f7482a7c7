/**
 * Reads any number of keys page by page. The first page is read at the latest revision (or the one
 * asked for), and all later ones at that same revision, so the whole is the state of one moment,
 * however long it takes and whatever is written meanwhile.
 */
import { limits } from '../base/limits.js';
import type { KeySelection, RangeOperation, RangeResult } from '../mvcc/types.js';
import { KeyValue } from './key-value.js';

const firstPageSize = 100;

/** What a {@link Scan} reads, checked. @since 0.1.0 */
export interface ScanRequest {
  readonly keys: KeySelection;
  /** Absent: the latest. */
  readonly revision: number | undefined;
  readonly keysOnly: boolean;
  /** Absent: by bytes. */
  readonly pageSize: number | undefined;
}

/** Carries one page out; linearizable when the operation names no revision. */
type ReadPage = (operation: RangeOperation) => Promise<RangeResult>;

/**
 * All pairs of a range in ascending key order, as an iterator of pairs, or of pages with
 * {@link nextPage}. Use one or the other. It rejects with what `range` does; with `COMPACTED` when a
 * compaction overtakes it.
 *
 * @since 0.1.0
 * @example for await (const kv of store.scan({ prefix: 'jobs/' })) console.log(kv.keyText());
 */
export class Scan implements AsyncIterableIterator<KeyValue> {
  readonly #read: ReadPage;
  readonly #request: ScanRequest;
  /** Where the next page begins; `undefined` when there is none. */
  #from: string | undefined;
  #revision: number | undefined;
  #pageSize: number;
  #page: readonly KeyValue[] = [];
  #at = 0;
  /** Calls are answered one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  /** Made by `Store.scan`. */
  constructor(read: ReadPage, request: ScanRequest) {
    this.#read = read;
    this.#request = request;
    this.#from = request.keys.gte;
    this.#revision = request.revision;
    this.#pageSize = request.pageSize ?? firstPageSize;
  }

  /** The revision that is read; `undefined` before the first page, unless one was asked for. */
  get revision(): number | undefined {
    return this.#revision;
  }

  /** The next pairs; `undefined` at the end. */
  nextPage(): Promise<readonly KeyValue[] | undefined> {
    return this.#inTurn(() => this.#nextPage());
  }

  next(): Promise<IteratorResult<KeyValue, undefined>> {
    return this.#inTurn(async () => {
      while (this.#at >= this.#page.length) {
        const page = await this.#nextPage();
        if (page === undefined) return { done: true, value: undefined };
        this.#page = page;
        this.#at = 0;
      }
      const value = this.#page[this.#at] as KeyValue;
      this.#at += 1;
      return { done: false, value };
    });
  }

  /** Ends the scan. */
  async return(): Promise<IteratorResult<KeyValue, undefined>> {
    this.#from = undefined;
    this.#page = [];
    this.#at = 0;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #nextPage(): Promise<readonly KeyValue[] | undefined> {
    const gte = this.#from;
    if (gte === undefined) return undefined;
    const { keys, keysOnly } = this.#request;
    const result = await this.#read({
      op: 'range',
      keys: { gte, lt: keys.lt },
      limit: this.#pageSize,
      revision: this.#revision,
      keysOnly,
    });
    // Ended while the page was read.
    if (this.#from === undefined) return undefined;
    this.#revision ??= result.revision;
    const last = result.kvs.at(-1);
    this.#from = result.more && last !== undefined ? `${last.key}\0` : undefined;
    if (last === undefined) return undefined;
    if (this.#request.pageSize === undefined) this.#resize(result);
    return result.kvs.map((version) => KeyValue.of(version));
  }

  /** Pages of about the same bytes, whatever the size of the values. */
  #resize({ kvs }: RangeResult): void {
    let bytes = 0;
    for (const { key, value } of kvs) bytes += key.length + value.length;
    if (bytes > limits.scanBytesAim) this.#pageSize = Math.max(1, this.#pageSize >>> 1);
    else if (2 * bytes < limits.scanBytesAim) {
      this.#pageSize = Math.min(limits.scanPairsMax, 2 * this.#pageSize);
    }
  }

  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(call);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
