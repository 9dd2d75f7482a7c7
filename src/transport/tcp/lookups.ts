/**
 * Addresses of host names, asked for once at a time. The platform looks them up on two threads, and a name
 * that no server answers for holds one of them for tens of seconds, while it is tried again every few: the
 * questions would pile up, and no other name would ever be found in time.
 */
import dns from 'node:dns';
import type { LookupFunction } from 'node:net';

type OnFound = Parameters<LookupFunction>[2];

/**
 * Lookups of one transport, whose options are all the same.
 *
 * @since 0.1.0
 */
export class Lookups {
  /** Who waits, by name. */
  readonly #waiting = new Map<string, OnFound[]>();

  /** As the platform's own, which it asks unless it was asked for that name and has not answered yet. */
  readonly find: LookupFunction = (name, options, onFound) => {
    const others = this.#waiting.get(name);
    if (others !== undefined) {
      others.push(onFound);
      return;
    }
    const waiting = [onFound];
    this.#waiting.set(name, waiting);
    dns.lookup(name, options, (...found) => {
      this.#waiting.delete(name);
      for (const each of waiting) each(...found);
    });
  };
}
