/**
 * The options of `kontiki sim`, checked as a whole before anything runs.
 */
import { parseArgs } from 'node:util';
import { kontikiError } from '../base/errors.js';

/** What was asked for, still in words where only the simulator knows what they mean. */
export interface SimOptions {
  readonly seed: number;
  /** How many seeds at most; `undefined`: as many as time allows. */
  readonly seeds: number | undefined;
  readonly profile: string;
  /** Real time, such as `10m`. */
  readonly duration: string | undefined;
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
  const { profile, for: duration, shrink: shrinks, out, help } = values;
  const defaultSeeds = duration === undefined ? '1' : undefined;
  const seeds = values.seeds ?? defaultSeeds;
  return {
    seed: integer('--seed', values.seed, -Number.MAX_SAFE_INTEGER),
    seeds: seeds === undefined ? undefined : integer('--seeds', seeds, 1),
    profile,
    duration,
    shrinks,
    out,
    help,
  };
}

function integer(name: string, text: string, min: number): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
  const expected = min > 0 ? 'a count' : 'a safe integer';
  throw kontikiError('OPTIONS_INVALID', `expected ${name} to be ${expected}, got '${text}'`);
}
