/**
 * A crash around one of the next effects on disk or network: between what must happen together, if
 * anything must (incident 13766 of etcd was such a gap).
 */
import { randomInt } from '../../base/prng.js';
import type { CrashKind } from '../sim-machine.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface CrashAtFault {
  readonly kind: 'crash-at';
  readonly target: FaultTarget;
  readonly how: CrashKind;
  /** Which of the next effects, 1 for the next one. */
  readonly effects: number;
  readonly when: 'before' | 'after';
  /** Virtual milliseconds until it is started again. */
  readonly downMs: number;
}

/** One that does so little for as long gets away with it, as all do once the run heals. */
const armedMs = 10_000;

/** @since 0.1.0 */
export const crashAtFault: FaultType<CrashAtFault> = {
  kind: 'crash-at',
  draw: (random, members) => ({
    kind: 'crash-at',
    target: drawTarget(random, members),
    how: randomInt(random, 2) === 0 ? 'power' : 'process',
    effects: 1 + randomInt(random, 60),
    when: randomInt(random, 2) === 0 ? 'before' : 'after',
    downMs: randomInt(random, 1_000),
  }),
  inject({ target, how, effects, when, downMs }, { cluster, resolve, until, restart }) {
    const name = resolve(target);
    if (name === undefined) return;
    const crash = () => {
      cluster.crash(name, how);
      until(downMs, () => restart(name));
    };
    const machine = cluster.machine(name);
    machine.crashAt(effects, { when, crash });
    until(armedMs, () => machine.crashAt(Infinity, { when }));
  },
};
