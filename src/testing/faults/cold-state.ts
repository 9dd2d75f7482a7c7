/**
 * Engines whose reads and writes take long on all members at once, as when other work has pushed what
 * they hold out of the memory of every host: reads then overlap with all that changes meanwhile, and what
 * is kept of their answers may be of the past.
 */
import { randomInt } from '../../base/prng.js';
import type { FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface ColdStateFault {
  readonly kind: 'cold-state';
  /** Virtual milliseconds by which each operation of an engine is slower, about. */
  readonly byMs: number;
  /** Virtual milliseconds. */
  readonly forMs: number;
}

/** @since 0.1.0 */
export const coldStateFault: FaultType<ColdStateFault> = {
  kind: 'cold-state',
  draw: (random) => ({
    kind: 'cold-state',
    byMs: 2 + randomInt(random, 40),
    forMs: 500 + randomInt(random, 5_000),
  }),
  inject({ byMs, forMs }, { cluster, until }) {
    const engines = cluster.names.map((name) => cluster.machine(name).engineDisk);
    // One that is alone may have durable, by a crash in the middle of a page, what nobody was told of.
    if (engines.length < 2) return;
    for (const engine of engines) engine.slowByUs = byMs * 1_000;
    until(forMs, () => {
      for (const engine of engines) engine.slowByUs = 0;
    });
  },
};
