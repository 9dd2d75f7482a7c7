/**
 * Swarm testing: each seed switches a random part of the faults and features off and draws sizes of
 * its own, because a mix of everything hides what only shows when something else is missing (Groce et
 * al., ISSTA 2012).
 */
import type { StoreTuning } from '../../assembly/store-config.js';
import { type Random, randomInt } from '../../base/prng.js';
import { drawFault, type FaultKind, faultKinds } from '../faults/fault.js';
import { SimRandom } from '../sim-random.js';
import { drawFocus, type Focus, type FocusedScenario, focusNames } from './focus.js';
import type { Scenario, ScheduledFault } from './scenario.js';

/** How hard a run is; see {@link drawScenario}. @since 0.1.0 */
export interface SwarmOptions {
  /** Virtual milliseconds with faults; default 20,000. */
  readonly durationMs?: number | undefined;
  /** Average virtual milliseconds between two faults; default 1,500. */
  readonly faultEveryMs?: number | undefined;
  /** Kinds of faults to choose from; default all. */
  readonly faults?: readonly FaultKind[] | undefined;
  /** Members; default 1, 3 or 5, mostly 3. */
  readonly members?: number | undefined;
  /** What the run is hard on; `none`: everything; `any`: the seed chooses. Default: any in half of the seeds. */
  readonly focus?: Focus | 'any' | 'none' | undefined;
}

const groupSizes = [1, 3, 3, 3, 3, 5] as const;

/**
 * Draws the scenario of a seed.
 *
 * @param seed - any safe integer
 * @param options - see {@link SwarmOptions}
 * @since 0.1.0
 */
export function drawScenario(seed: number, options: SwarmOptions = {}): Scenario {
  const random = new SimRandom({ seed, stream: 'scenario', entity: [] });
  const focused: Partial<FocusedScenario> = focusOf(seed, options) ?? {};
  const { faults: focusedKinds, faultEveryMs: focusedEveryMs, ...focus } = focused;
  const drawnMembers = one(random, groupSizes);
  const members = options.members ?? focus.members ?? drawnMembers;
  const durationMs = options.durationMs ?? 20_000;
  const faultEveryMs = options.faultEveryMs ?? focusedEveryMs ?? 1_500;
  const names = Array.from({ length: members }, (_, at) => `n${at + 1}`);
  const someKinds = someOf(options.faults ?? faultKinds, random);
  const kinds = options.faults === undefined ? (focusedKinds ?? someKinds) : someKinds;
  const faults: ScheduledFault[] = [];
  for (let atMs = 0; kinds.length > 0; ) {
    atMs += 1 + randomInt(random, 2 * faultEveryMs);
    if (atMs >= durationMs) break;
    faults.push({ atMs, fault: drawFault(one(random, kinds), random, names) });
  }
  const drawn: Scenario = {
    seed,
    durationMs,
    faults,
    clients: 1 + randomInt(random, 6),
    pauseMs: one(random, [10, 20, 40, 60, 200]),
    keys: one(random, [1, 3, 10, 40]),
    path: { dropRate: one(random, [0, 0, 0, 0.01, 0.05]) },
    tuning: { ...drawTuning(random), ...drawHistory(seed) },
    tickMs: one(random, [10, 50, 100, 100]),
    ...focus,
    members,
  };
  return { ...drawn, tuning: { ...drawFlushes(seed), ...drawAhead(seed), ...drawn.tuning } };
}

function focusOf(seed: number, { focus }: SwarmOptions): FocusedScenario | undefined {
  if (focus === 'none') return undefined;
  const random = new SimRandom({ seed, stream: 'scenario.focus', entity: [] });
  const isFocused = randomInt(random, 2) === 0;
  const drawn = one(random, focusNames);
  if (focus === undefined && !isFocused) return undefined;
  return drawFocus(focus === undefined || focus === 'any' ? drawn : focus, random);
}

/** Every other group lets go of its log at once, so that whoever is away for a little needs a snapshot. */
function drawTuning(random: Random): StoreTuning {
  if (randomInt(random, 2) === 0) {
    const retention = { entriesMin: 4, bytesMin: 0, bytesMax: 2_048 };
    return { segmentBytes: 4_096, retention };
  }
  const segmentBytes = one(random, [16_384, 65_536, 1_048_576]);
  const entriesMin = one(random, [4, 50, 1_000]);
  return { segmentBytes, retention: { entriesMin, bytesMin: 0, bytesMax: 1_048_576 } };
}

/** In one of four history goes by itself, after a time that a run outlasts. */
function drawHistory(seed: number): StoreTuning {
  const random = new SimRandom({ seed, stream: 'scenario.history', entity: [] });
  return randomInt(random, 4) === 0 ? { history: { ms: 4_000 } } : {};
}

/**
 * In three of four flushes come as often as they may matter; in the others as in production. In half of them what is
 * not flushed is soon too much for one turn.
 */
function drawFlushes(seed: number): StoreTuning {
  const random = new SimRandom({ seed, stream: 'scenario.flushes', entity: [] });
  const flushes = randomInt(random, 4) === 0 ? {} : { flushIntervalMs: 50 };
  if (randomInt(random, 2) === 0) return flushes;
  return { ...flushes, sortKeysMax: one(random, [1, 8, 64]) };
}

/** In half of them history goes ahead of flushes however little it is. */
function drawAhead(seed: number): StoreTuning {
  const random = new SimRandom({ seed, stream: 'scenario.ahead', entity: [] });
  return randomInt(random, 2) === 0 ? {} : { aheadBytesMin: 1 };
}

function one<T>(random: Random, choices: readonly T[]): T {
  return choices[randomInt(random, choices.length)] as T;
}

/** Each with even chance; all of them in one of eight. */
function someOf<T>(choices: readonly T[], random: Random): readonly T[] {
  if (randomInt(random, 8) === 0) return choices;
  return choices.filter(() => randomInt(random, 2) === 0);
}
