/**
 * What a rule is: told of steps one after the other, it keeps what little it must remember and fails
 * at the first step that breaks it. Its work per step is bounded by what the step changed; nothing
 * is scanned again.
 */

/**
 * A rule about steps of type `S`.
 *
 * @since 0.1.0
 */
export interface Invariant<S extends { readonly kind: string }> {
  /** As in the table of docs/api/invariants.md: `R1`, `W4`. */
  readonly id: string;
  /** The rule in a few words. */
  readonly title: string;
  /** Where it comes from: section of a paper, or the incident that taught it. */
  readonly source: string;
  /** The steps it wants to be told of. */
  readonly kinds: readonly S['kind'][];
  /**
   * @param step - of one of `kinds`
   * @throws {InvariantViolation} when the rule is broken
   */
  check(step: S): void;
}
