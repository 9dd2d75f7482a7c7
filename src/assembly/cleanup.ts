import { letGo } from '../base/let-go.js';

/**
 * Undoes what was opened, newest first. A step that fails does not keep the others from running.
 *
 * @since 0.1.0
 */
export class Cleanup {
  readonly #steps: (() => Promise<void>)[] = [];

  add(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      // What is being undone already failed, or already closed and said so.
      await letGo(step);
    }
  }
}
