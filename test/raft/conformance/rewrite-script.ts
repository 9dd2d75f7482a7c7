/**
 * Records what a script shows in the place of what it expects. For writing scripts: every recorded
 * line is then read and judged by a person, or it proves nothing.
 */
import { writeFileSync } from 'node:fs';
import { parseDirectives } from '../datadriven.js';
import { runDirective, type Scenario } from './run-scenario.js';
import { type EnvironmentOptions, ScenarioEnvironment } from './scenario-environment.js';

export function rewriteScript(path: string, script: Scenario, options: EnvironmentOptions): void {
  const environment = new ScenarioEnvironment(options);
  const lines = script.text.split('\n');
  const written: string[] = [];
  let at = 0;
  for (const directive of parseDirectives(script.name, script.text)) {
    let separator = directive.line;
    while (lines[separator] !== '----') separator += 1;
    written.push(...lines.slice(at, separator + 1));
    const place = `${script.name}:${directive.line}: ${directive.command}`;
    written.push(runDirective(environment, directive, place));
    at = separator + 1;
    while (at < lines.length && lines[at]?.trim() !== '') at += 1;
  }
  writeFileSync(path, `${[...written, ...lines.slice(at)].join('\n').trimEnd()}\n`);
}
