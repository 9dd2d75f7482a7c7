/**
 * A read as a series of fetches, each planned from the one before. Whoever runs it does the
 * waiting: `while (!query.done) query = query.next(await backend.read(query.plan))`.
 *
 * The first plan must be handed to the backend in the same turn the query was made in, before
 * anything more is applied: only then is its revision the one the records are read at. Later plans
 * name versions that are closed, which no apply changes, or that may become so meanwhile
 * (`put-stub.ts`).
 */
import type { ReadPlan, ReadSet } from './backend.js';

/** A fetch is needed. @since 0.1.0 */
export interface QueryStep<R> {
  readonly done: false;
  readonly plan: ReadPlan;
  /**
   * Goes on with the answer to `plan`.
   *
   * @throws {KontikiError} COMPACTED, STATE_CORRUPT, FORMAT_UNSUPPORTED
   */
  next(reads: ReadSet): Query<R>;
}

/** The answer. @since 0.1.0 */
export interface QueryDone<R> {
  readonly done: true;
  readonly result: R;
}

/** @since 0.1.0 */
export type Query<R> = QueryStep<R> | QueryDone<R>;
