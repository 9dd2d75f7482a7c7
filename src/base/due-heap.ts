/**
 * What is due next: a binary heap whose items know their place, so that one that is over leaves at
 * once, and a hundred thousand are never scanned. What makes an item due later does not touch it: one
 * that comes up too early is put back by its owner.
 */
import { assert } from './assert.js';

/** What a heap orders. Both fields are the heap's while the item is in it. @since 0.1.0 */
export interface HeapItem {
  /** When it is due, by what the owner goes by: a clock, or revisions. */
  due: number;
  /** Its place; -1 outside. */
  heapAt: number;
}

/** @since 0.1.0 */
export class DueHeap<T extends HeapItem> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The item due first; `undefined` when there is none. */
  get first(): T | undefined {
    return this.#items[0];
  }

  /** @param item - outside; with its `due` set */
  add(item: T): void {
    assert(item.heapAt < 0, 'an item is in one heap once');
    item.heapAt = this.#items.length;
    this.#items.push(item);
    this.#rise(item);
  }

  /** Takes an item out; nothing happens when it is not in. */
  remove(item: T): void {
    const at = item.heapAt;
    if (at < 0) return;
    assert(this.#items[at] === item, 'an item is removed from its own heap');
    const last = this.#items.pop() as T;
    item.heapAt = -1;
    if (last === item) return;
    this.#items[at] = last;
    last.heapAt = at;
    this.#rise(last);
    this.#sink(last);
  }

  #rise(item: T): void {
    while (item.heapAt > 0) {
      const parent = this.#items[(item.heapAt - 1) >>> 1] as T;
      if (parent.due <= item.due) return;
      this.#swap(parent, item);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = this.#items[2 * item.heapAt + 1];
      const right = this.#items[2 * item.heapAt + 2];
      const child = right !== undefined && right.due < (left as T).due ? right : left;
      if (child === undefined || child.due >= item.due) return;
      this.#swap(item, child);
    }
  }

  #swap(upper: T, lower: T): void {
    const at = upper.heapAt;
    upper.heapAt = lower.heapAt;
    lower.heapAt = at;
    this.#items[upper.heapAt] = upper;
    this.#items[at] = lower;
  }
}
