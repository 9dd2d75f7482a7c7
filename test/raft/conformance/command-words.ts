/** How commands name members, numbers and choices. */
import { type Directive, valuesOf } from '../datadriven.js';
import type { ScenarioEnvironment } from './scenario-environment.js';
import type { ScenarioMember } from './scenario-member.js';
import { type LogLevel, logLevels } from './scenario-output.js';

/** The arguments that are a word alone. */
export function wordsOf({ args }: Directive): string[] {
  return args.filter(({ values }) => values.length === 0).map(({ key }) => key);
}

/** @throws {Error} unless there is one word for each name */
export function exactWords(directive: Directive, ...names: readonly string[]): string[] {
  const words = wordsOf(directive);
  if (words.length !== names.length) {
    throw new Error(`${directive.command}: expected ${names.join(' ')}, got ${words.join(' ')}`);
  }
  return words;
}

export function numberOf(word: string | undefined, what: string): number {
  if (word === undefined || !/^\d+$/.test(word)) throw new Error(`expected ${what}, got ${word}`);
  return Number(word);
}

/** A single number given as `key=n`. */
export function optionNumber(directive: Directive, key: string): number | undefined {
  const value = valuesOf(directive, key)?.[0];
  return value === undefined ? undefined : numberOf(value, key);
}

/** The member that the first word names. */
export function firstMember(
  environment: ScenarioEnvironment,
  directive: Directive,
): ScenarioMember {
  return environment.member(numberOf(wordsOf(directive)[0], 'a member'));
}

/** The members that the words name, in that order. */
export function namedMembers(
  environment: ScenarioEnvironment,
  directive: Directive,
): ScenarioMember[] {
  return wordsOf(directive).map((word) => environment.member(numberOf(word, 'a member')));
}

/** In any case. */
export function logLevelOf(word: string | undefined): LogLevel {
  const level = logLevels.find((each) => each === word?.toUpperCase());
  if (level === undefined) throw new Error(`log levels must be either of [${logLevels.join(' ')}]`);
  return level;
}
