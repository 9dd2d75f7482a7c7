/**
 * The options of `kontiki sim`, checked as a whole before anything runs.
 */
import { parseArgs } from 'node:util';
import { parseDuration } from '../base/duration.js';
import { kontikiError } from '../base/errors.js';

/** What was asked for, still in words where only the simulator knows what they mean. */
export interface SimOptions {
  readonly seed: number;
  /** How many seeds at most; `undefined`: as many as time allows. */
  readonly seeds: number | undefined;
  readonly profile: string;
  /** Real time after which no further seed begins, in milliseconds. */
  readonly spanMs: number | undefined;
  readonly shrinks: boolean;
  /** Folder for what is found. */
  readonly out: string | undefined;
  readonly help: boolean;
}

/**
 * @param args - the words after `sim`
 * @throws of `parseArgs`: an option that does not exist, or a word too many
 * @throws {KontikiError} OPTIONS_INVALID
 */
export function simOptions(args: readonly string[]): SimOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      seeds: { type: 'string' },
      profile: { type: 'string', default: 'standard' },
      for: { type: 'string' },
      shrink: { type: 'boolean', default: false },
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { profile, shrink: shrinks, out, help } = values;
  const spanMs = values.for === undefined ? undefined : span('--for', values.for);
  const defaultSeeds = spanMs === undefined ? '1' : undefined;
  const seeds = values.seeds ?? defaultSeeds;
  const first = integer('--seed', values.seed, -Number.MAX_SAFE_INTEGER);
  const count = seeds === undefined ? undefined : integer('--seeds', seeds, 1);
  if (!Number.isSafeInteger(first + (count ?? 0))) {
    const message = `expected --seed and --seeds to end at a safe integer, got ${values.seed} and ${seeds}`;
    throw kontikiError('OPTIONS_INVALID', message);
  }
  return {
    seed: first,
    seeds: count,
    profile,
    spanMs,
    shrinks,
    out,
    help,
  };
}

function span(name: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  const message = `expected ${name} to be a time such as 90s, 10m or 2h, got '${text}'`;
  throw kontikiError('OPTIONS_INVALID', message);
}

function integer(name: string, text: string, min: number): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
  const expected = min > 0 ? 'a count' : 'a safe integer';
  throw kontikiError('OPTIONS_INVALID', `expected ${name} to be ${expected}, got '${text}'`);
}
