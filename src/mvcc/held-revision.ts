/**
 * A revision on its way to watchers. All watchers of a selection share one object, and its bytes
 * count once, however many of them hold it.
 */
import type { RevisionEvents } from './history-query.js';
import type { KeyEvent, KeyVersion } from './types.js';

/**
 * Made by the hub, once per revision and selection.
 *
 * @since 0.1.0
 */
export class HeldRevision implements RevisionEvents {
  readonly revision: number;
  readonly events: readonly KeyEvent[];
  #holders = 0;
  /** Counted when somebody first holds it: who is waiting takes a revision without that. */
  #bytes: number | undefined;

  /** @param events - of the one revision, in order, at least one */
  constructor(revision: number, events: readonly KeyEvent[]) {
    this.revision = revision;
    this.events = events;
  }

  /** One more queue holds it; returns how many bytes are held that were not before. */
  hold(): number {
    this.#holders += 1;
    if (this.#holders > 1) return 0;
    this.#bytes ??= bytesOf(this.events);
    return this.#bytes;
  }

  /** One queue less; returns how many bytes are not held any more. */
  release(): number {
    this.#holders -= 1;
    return this.#holders === 0 ? (this.#bytes as number) : 0;
  }
}

/** What an event weighs beside its key and values, roughly. */
const fixedBytes = 200;

/**
 * What an event weighs in memory, roughly.
 *
 * @since 0.1.0
 */
export function eventBytes({ key, current, previous }: KeyEvent): number {
  return fixedBytes + key.length + sizeOf(current) + sizeOf(previous);
}

function bytesOf(events: readonly KeyEvent[]): number {
  let bytes = 0;
  for (const event of events) bytes += eventBytes(event);
  return bytes;
}

function sizeOf(version: KeyVersion | undefined): number {
  return version === undefined ? 0 : version.value.length;
}
