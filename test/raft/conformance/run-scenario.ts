/** Runs a scenario file and compares what it shows. */
import { expect } from 'vitest';
import { type Directive, parseDirectives } from '../datadriven.js';
import { fixtureCommands } from './fixture-commands.js';
import { withoutLogLines } from './normaliser.js';
import { ownCommands } from './own-commands.js';
import { type EnvironmentOptions, ScenarioEnvironment } from './scenario-environment.js';

export interface Scenario {
  readonly name: string;
  readonly text: string;
}

/** What each command of the file shows; stops at the first that is not what the file says. */
export function runScenario({ name, text }: Scenario, options: EnvironmentOptions): string[] {
  const environment = new ScenarioEnvironment(options);
  const shown: string[] = [];
  for (const directive of parseDirectives(name, text)) {
    const place = `${name}:${directive.line}: ${directive.command}`;
    const output = runDirective(environment, directive, place);
    const actual = withoutLogLines(output);
    const expected = withoutLogLines(directive.expected);
    // An `expect` for each of some ten thousand commands takes its time.
    if (actual !== expected) expect(actual, place).toBe(expected);
    shown.push(output);
  }
  return shown;
}

/** The output of one command, log lines left out. */
export function runDirective(
  environment: ScenarioEnvironment,
  directive: Directive,
  place: string,
): string {
  const command = fixtureCommands[directive.command] ?? ownCommands[directive.command];
  if (command === undefined) throw new Error(`${place}: no such command`);
  environment.output.clear();
  let error: string | undefined;
  try {
    error = command(environment, directive);
  } catch (cause) {
    throw new Error(`${place}: ${(cause as Error).message}`, { cause });
  }
  const parts = [environment.output.text, error ?? ''].filter((part) => part !== '');
  return parts.length === 0 ? 'ok' : parts.join('\n');
}
