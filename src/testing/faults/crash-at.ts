/**
 * A crash around one of the next effects on disk or network: between what must happen together, if
 * anything must (incident 13766 of etcd was such a gap). From now on, or from when the member next does
 * what is rare and has many steps.
 */
import { randomInt } from '../../base/prng.js';
import type { CrashKind } from '../sim-machine.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';
import type { Moment } from './moments.js';

/** @since 0.1.0 */
export interface CrashAtFault {
  readonly kind: 'crash-at';
  /** Of a rare moment: not read, for whoever gets there first is hit. */
  readonly target: FaultTarget;
  readonly how: CrashKind;
  /** From when on effects are counted; `start` crashes it at once as well. Default at once. */
  readonly from?: Moment | undefined;
  /** Which of the next effects, 1 for the next one. */
  readonly effects: number;
  readonly when: 'before' | 'after';
  /** Virtual milliseconds until it is started again. */
  readonly downMs: number;
}

/** One that does so little for as long gets away with it, as all do once the run heals. */
const armedMs = 10_000;

const moments = [undefined, undefined, undefined, 'start', 'trim', 'vote', 'write'] as const;

/** How many effects there are about, by where they are counted from. */
const effectsOf = { start: 60, trim: 8, vote: 6, write: 4 } as const;

/** @since 0.1.0 */
export const crashAtFault: FaultType<CrashAtFault> = {
  kind: 'crash-at',
  draw(random, members) {
    const from = moments[randomInt(random, moments.length)];
    return {
      kind: 'crash-at',
      target: drawTarget(random, members),
      how: randomInt(random, 2) === 0 ? 'power' : 'process',
      from,
      effects: 1 + randomInt(random, from === undefined ? 60 : effectsOf[from]),
      when: randomInt(random, 2) === 0 ? 'before' : 'after',
      downMs: randomInt(random, randomInt(random, 2) === 0 ? 20 : 1_000),
    };
  },
  inject({ target, how, from, effects, when, downMs }, context) {
    const { cluster, resolve, until, restart, onMoment } = context;
    const crash = (name: string) => {
      cluster.crash(name, how);
      until(downMs, () => restart(name));
    };
    const arm = (name: string) => {
      const machine = cluster.machine(name);
      machine.crashAt(effects, { when, crash: () => crash(name) });
      until(armedMs, () => machine.crashAt(Infinity, { when }));
    };
    if (from !== undefined) until(armedMs, onMoment(from, arm));
    if (from !== undefined && from !== 'start') return;
    const name = resolve(target);
    if (name === undefined) return;
    if (from === 'start') crash(name);
    else arm(name);
  },
};
