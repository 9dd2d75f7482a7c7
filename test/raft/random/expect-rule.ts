/** How the checkers of the simulation fail: with the number of the rule in semantics §20. */

/** @param rule - as in `20.7` */
export function expectRule(holds: boolean, rule: string, message: string): asserts holds {
  if (!holds) throw new Error(`§${rule} ${message}`);
}
