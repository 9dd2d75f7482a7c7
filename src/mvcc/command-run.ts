/**
 * A command that reads ranges, while it executes: it may take many fetches, and what it changes is
 * handed out between them, so that no turn does all of it (DESIGN §4.6).
 */
import { assert } from '../base/assert.js';
import type { KontikiError } from '../base/errors.js';
import type { ReadPlan, ReadSet } from './backend.js';
import type { Steps } from './range-slices.js';
import type { RevisionDraft } from './revision-draft.js';
import type { CommandResult } from './types.js';

/**
 * Made by the keyspace, and given back to it when {@link plan} is `undefined`.
 *
 * @since 0.1.0
 */
export class CommandRun {
  readonly draft: RevisionDraft;
  readonly #steps: Steps<CommandResult | KontikiError>;
  #at: IteratorResult<ReadPlan, CommandResult | KontikiError>;

  /**
   * Runs up to the first read that is missing.
   *
   * @param steps - the command's
   * @param draft - takes its effect
   */
  constructor(steps: Steps<CommandResult | KontikiError>, draft: RevisionDraft) {
    this.draft = draft;
    this.#steps = steps;
    this.#at = steps.next();
  }

  /** What must be read next; `undefined` when the command has run to its end. */
  get plan(): ReadPlan | undefined {
    return this.#at.done === true ? undefined : this.#at.value;
  }

  /** Goes on with the answer to {@link plan}. */
  supply(reads: ReadSet): void {
    assert(this.#at.done !== true, 'a command is supplied what it asked for');
    this.#at = this.#steps.next(reads);
  }

  /** What came of it, at its end. */
  get result(): CommandResult | KontikiError {
    assert(this.#at.done === true, 'a command ends once everything is read');
    return this.#at.value;
  }
}
