/** Holds a replicated keyspace to its invariants, as `RaftChecker` does a group. */
import type { Invariant } from './invariant.js';
import { StoreFacts } from './store-facts.js';
import { type StoreInvariantMaker, storeInvariants } from './store-invariants.js';
import type { StoreStep } from './store-step.js';

/**
 * The rules of the keyspace over one run.
 *
 * @since 0.1.0
 */
export class StoreChecker {
  readonly facts = new StoreFacts();
  readonly #rules = new Map<StoreStep['kind'], Invariant<StoreStep>[]>();

  /**
   * @param invariants - which rules; default {@link storeInvariants}, all of them
   */
  constructor(invariants: readonly StoreInvariantMaker[] = storeInvariants) {
    for (const make of invariants) {
      const rule = make(this.facts);
      for (const kind of rule.kinds) {
        const rules = this.#rules.get(kind);
        if (rules === undefined) this.#rules.set(kind, [rule]);
        else rules.push(rule);
      }
    }
  }

  /**
   * Takes what just happened.
   *
   * @param step - in the order of the run
   * @throws {InvariantViolation} at the first rule that is broken; the run is worth no more then
   */
  observe(step: StoreStep): void {
    this.facts.take(step);
    for (const rule of this.#rules.get(step.kind) ?? []) rule.check(step);
    this.facts.keep(step);
  }
}
