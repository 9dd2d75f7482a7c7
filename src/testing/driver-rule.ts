/**
 * Rules of whole members, which look at what a driver does on its machine. Those of `invariants/` know
 * cores and keyspaces alone, and so hold for foreign ones, too.
 */
import type { SimMachine } from './sim-machine.js';

/** @since 0.1.0 */
export interface DriverRule {
  /** Looks on from the next boot of a machine on, beside whoever does already. */
  observe(machine: SimMachine): void;
}

/** What such rules are made of; each takes what it needs. @since 0.1.0 */
export interface DriverRuleParts {
  /** Virtual time in microseconds. */
  readonly nowUs: () => number;
  /** Election timeout of the group, in microseconds. */
  readonly electionUs: number;
  /** Told of a rule that is broken, and how. */
  readonly violated: (id: string, message: string) => void;
}
