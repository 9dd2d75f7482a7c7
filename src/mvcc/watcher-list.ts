/**
 * The watchers of one selection of keys, in the order they came. The links are in the watchers
 * themselves, so that an idle one costs its own object and little else (DESIGN §6, P9).
 */
import type { BinaryString } from '../base/bytes.js';
import { selectKey, singleKey } from './selection.js';
import type { KeySelection } from './types.js';
import type { Watcher } from './watcher.js';

/**
 * Caller: the hub and its watchers.
 *
 * @since 0.1.0
 */
export class WatcherList {
  /** A selection of one key is kept as that key, which is a third of the memory. */
  readonly #keys: BinaryString | KeySelection;
  #first: Watcher | undefined;
  #last: Watcher | undefined;

  /** @param keys - what all watchers of the list watch */
  constructor(keys: KeySelection) {
    this.#keys = singleKey(keys) ?? keys;
  }

  /** The one key, if all watch one key; otherwise `undefined`. */
  get key(): BinaryString | undefined {
    return typeof this.#keys === 'string' ? this.#keys : undefined;
  }

  /** What all watchers of the list watch. */
  get keys(): KeySelection {
    return typeof this.#keys === 'string' ? selectKey(this.#keys) : this.#keys;
  }

  /** The watcher that came first; the others follow by `_next`. */
  get first(): Watcher | undefined {
    return this.#first;
  }

  /** Adds a watcher that is in no list. */
  add(watcher: Watcher): void {
    const last = this.#last;
    watcher._previous = last;
    if (last === undefined) this.#first = watcher;
    else last._next = watcher;
    this.#last = watcher;
  }

  /** Removes a watcher of this list. */
  remove(watcher: Watcher): void {
    const { _next: next, _previous: previous } = watcher;
    if (previous === undefined) this.#first = next;
    else previous._next = next;
    if (next === undefined) this.#last = previous;
    else next._previous = previous;
    watcher._next = undefined;
    watcher._previous = undefined;
  }
}
