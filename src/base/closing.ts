/** Closing once, of a part that tells others of it. */
import { Deferred } from './deferred.js';

/**
 * Remembers that something closes before any of it happens: whoever is told of the end may call back at
 * once, to begin something more or to close it as well.
 *
 * @since 0.1.0
 */
export class Closing {
  #over: Promise<void> | undefined;

  /** Whether it was begun: true for all that `close` calls. */
  get hasBegun(): boolean {
    return this.#over !== undefined;
  }

  /**
   * Runs `close` unless one was begun before.
   *
   * @param close - called at once, at most one in all
   * @returns settles as the one that was begun
   */
  begin(close: () => Promise<void>): Promise<void> {
    if (this.#over !== undefined) return this.#over;
    const over = new Deferred<void>();
    this.#over = over.promise;
    close().then(
      () => over.resolve(),
      (error: unknown) => over.reject(error),
    );
    return this.#over;
  }
}
