/**
 * A member's disks go back to a copy of some time ago: it has forgotten votes and entries that others
 * count on, so it must not take part any more (reliability plan §3; the anchors do not have it).
 *
 * A copy of the very last life of a directory cannot be told from it by whoever has nothing of that life
 * (ADR 0019). So the copy is made between two lives, and put back once all the others have met the second.
 */
import { randomInt } from '../../base/prng.js';
import { drawTarget } from './draw-target.js';
import type { FaultContext, FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface RolledBackFault {
  readonly kind: 'rolled-back';
  readonly target: FaultTarget;
  /** Virtual milliseconds between copy and return. */
  readonly afterMs: number;
  /** How often the copy is started where nobody hears of it, before they do; default 0. */
  readonly unheard?: number | undefined;
}

/** How long each of its lives is of which nobody hears, in virtual milliseconds. */
const unheardMs = 300;

/** @since 0.1.0 */
export const rolledBackFault: FaultType<RolledBackFault> = {
  kind: 'rolled-back',
  draw: (random, members) => ({
    kind: 'rolled-back',
    target: drawTarget(random, members),
    afterMs: 500 + randomInt(random, 8_000),
    unheard: Math.max(0, randomInt(random, 5) - 2),
  }),
  inject({ target, afterMs, unheard = 0 }, context) {
    const { cluster, resolve, restart, until, mayRollBack } = context;
    const name = resolve(target);
    if (name === undefined) return;
    const machine = cluster.machine(name);
    cluster.crash(name, 'process');
    const copy = machine.copyDisks();
    const { wipes } = machine;
    restart(name);
    until(afterMs, () => {
      const others = cluster.names.filter((each) => each !== name);
      const isKnown = others.every((other) => machine.linkedTo.includes(other));
      if (!isKnown || machine.wipes !== wipes || !mayRollBack(name)) return;
      cluster.crash(name, 'process');
      machine.putBack(copy);
      startUnheard(name, unheard, context);
    });
  },
};

function startUnheard(name: string, times: number, context: FaultContext): void {
  const { cluster, restart, until } = context;
  const { network } = cluster.sim;
  const start = (left: number): void => {
    restart(name);
    if (left === 0) return;
    until(unheardMs, () => {
      cluster.crash(name, 'process');
      if (left === 1) reconnect();
      start(left - 1);
    });
  };
  const reconnect = (): void => {
    for (const other of cluster.names) {
      network.unblock({ from: name, to: other });
      network.unblock({ from: other, to: name });
    }
  };
  if (times > 0) network.isolate(name);
  start(times);
}
