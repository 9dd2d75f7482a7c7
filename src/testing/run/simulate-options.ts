/**
 * Options of `simulate`, checked as a whole before anything runs.
 */
import { type KontikiError, kontikiError } from '../../base/errors.js';
import { type FaultKind, faultKinds, machineFaultKinds } from '../faults/fault.js';
import type { MachineSpec } from '../machine/machine-spec.js';
import { shown } from '../shown.js';
import { drawScenario } from './draw-scenario.js';
import { type Duration, durationMs } from './duration.js';
import type { Scenario } from './scenario.js';
import { scenarioMismatch } from './scenario-shape.js';

/**
 * A seed and what is not to be left to it, or a whole scenario.
 *
 * @since 0.1.0
 */
export interface SimulateOptions<State = unknown, Input = unknown, Answer = unknown> {
  /** Decides everything that is left to chance; any safe integer. Not beside `scenario`. */
  readonly seed?: number | undefined;
  /** What is to happen, as an earlier run reported it. Beside it only `machine` is allowed. */
  readonly scenario?: Scenario | undefined;
  /** The state machine to replicate; default: a kontiki store. */
  readonly machine?: MachineSpec<State, Input, Answer> | undefined;
  /** Members, 1 to 7; default drawn, mostly 3. */
  readonly members?: number | undefined;
  /** Virtual time with faults; default 20 seconds. */
  readonly duration?: Duration | undefined;
  /** Average virtual time between two faults; default 1.5 seconds. */
  readonly faultEvery?: Duration | undefined;
  /**
   * Kinds of faults that a run may have; each seed draws some of them. Default all, with a `machine`
   * those of `machineFaultKinds`.
   */
  readonly faults?: readonly FaultKind[] | undefined;
  /** Clients that call at the same time; default drawn, 1 to 6. */
  readonly clients?: number | undefined;
  /** Virtual time between two calls of a client, at most; default drawn, 5 to 200 milliseconds. */
  readonly pause?: Duration | undefined;
  /** Distinct keys, or whatever `draw` of the machine makes of it; default drawn, 1 to 40. */
  readonly keys?: number | undefined;
}

const scenarioNames = [
  'seed',
  'members',
  'duration',
  'faultEvery',
  'faults',
  'clients',
  'pause',
  'keys',
] as const;

const optionNames: readonly string[] = [...scenarioNames, 'scenario', 'machine'];

/**
 * The scenario that options ask for.
 *
 * @throws {KontikiError} OPTIONS_INVALID
 * @since 0.1.0
 */
export function scenarioOf(options: SimulateOptions): Scenario {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid('options', 'an object', options);
  }
  for (const name of Object.keys(options)) {
    if (!optionNames.includes(name)) throw invalid('option names', optionNames.join(', '), name);
  }
  const { scenario, machine } = options;
  if (machine !== undefined) checkMachine(machine);
  const beside = scenarioNames.find((name) => options[name] !== undefined);
  if (scenario !== undefined && beside !== undefined) {
    throw invalid(beside, 'absent beside scenario', options[beside]);
  }
  const whole = scenario ?? drawn(options);
  checkScenario(whole);
  return whole;
}

function drawn(options: SimulateOptions): Scenario {
  const { seed, members, faults, clients, keys } = options;
  checkCount(seed, 'seed', { min: -Number.MAX_SAFE_INTEGER });
  if (members !== undefined) checkCount(members, 'members', { max: 7 });
  checkKinds(faults ?? []);
  const { duration = '20s', faultEvery = '1.5s', pause } = options;
  const own = drawScenario(seed as number, {
    members,
    faults,
    durationMs: durationMs(duration, 'duration'),
    faultEveryMs: Math.ceil(durationMs(faultEvery, 'faultEvery')),
  });
  const pauseMs = pause === undefined ? own.pauseMs : Math.ceil(durationMs(pause, 'pause'));
  const isFair = (kind: FaultKind) =>
    options.machine === undefined || faults !== undefined || machineFaultKinds.includes(kind);
  return {
    ...{ ...own, clients: clients ?? own.clients, keys: keys ?? own.keys, pauseMs },
    faults: own.faults.filter(({ fault }) => isFair(fault.kind)),
  };
}

function checkScenario(scenario: Scenario): void {
  if (typeof scenario !== 'object' || scenario === null || !Array.isArray(scenario.faults)) {
    throw invalid('scenario', 'a scenario', scenario);
  }
  const found = scenarioMismatch(scenario);
  if (found !== undefined) throw invalid(found.name, found.expected, found.got);
  durationMs(scenario.durationMs, 'durationMs');
}

function checkMachine(machine: unknown): void {
  const { model, draw, create, open, encode } = (machine ?? {}) as Record<string, unknown>;
  const isMachine =
    typeof model === 'object' &&
    model !== null &&
    typeof draw === 'function' &&
    (typeof create === 'function' || (typeof open === 'function' && typeof encode === 'function'));
  if (!isMachine) {
    const parts = 'model, draw and create, or model, draw, open and encode';
    throw invalid('machine', `an object with ${parts}`, machine);
  }
}

function checkKinds(kinds: readonly unknown[]): void {
  if (!Array.isArray(kinds)) throw invalid('faults', 'a list', kinds);
  const stranger = kinds.findIndex((kind) => !faultKinds.includes(kind as FaultKind));
  if (stranger >= 0) throw invalid('faults', `among ${faultKinds.join(', ')}`, kinds[stranger]);
}

function checkCount(
  value: unknown,
  name: string,
  { min = 1, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number } = {},
): void {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return;
  const upTo = max === Number.MAX_SAFE_INTEGER ? '' : ` to ${max}`;
  const expected = min < 1 ? 'a safe integer' : `an integer from ${min}${upTo}`;
  throw invalid(name, expected, value);
}

function invalid(name: string, expected: string, got: unknown): KontikiError {
  const message = `simulate: expected ${name} to be ${expected}, got ${shown(got)}`;
  return kontikiError('OPTIONS_INVALID', message);
}
