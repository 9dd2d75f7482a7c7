/** A scenario as the source of a test, to be kept for as long as the code lives. */
import type { SimulationReport } from './simulation.js';

/** What the test is to look like. @since 0.1.0 */
export interface ScenarioSourceOptions {
  /** What the test imports `simulate` from; default `kontiki/testing`. */
  readonly module?: string | undefined;
  /** What the test imports `test` from, such as `node:test`; default `vitest`. */
  readonly runner?: string | undefined;
  /** The state machine it ran on, by its exported name and module; default: a store. */
  readonly machine?: { readonly name: string; readonly module: string } | undefined;
}

/**
 * A TypeScript test that runs the scenario of a report and expects it to hold.
 *
 * @param report - of a run that failed
 * @param options - see {@link ScenarioSourceOptions}
 * @since 0.1.0
 */
export function scenarioSource(
  { scenario, violation }: Pick<SimulationReport, 'scenario' | 'violation'>,
  options: ScenarioSourceOptions = {},
): string {
  const { module = 'kontiki/testing', runner = 'vitest', machine } = options;
  const what =
    violation === undefined ? 'it held' : `${violation.id}: ${oneLine(violation.message)}`;
  const named = machine?.name === 'machine' ? 'machine' : `machine: ${machine?.name}`;
  const call = machine === undefined ? '{ scenario }' : `{ scenario, ${named} }`;
  return [
    `import { test } from '${runner}';`,
    `import { type Scenario, simulate } from '${module}';`,
    ...(machine === undefined ? [] : [`import { ${machine.name} } from '${machine.module}';`]),
    '',
    `// Found with ${what}`,
    `const scenario: Scenario = ${JSON.stringify(scenario, undefined, 2)};`,
    '',
    `test('seed ${scenario.seed}: ${violation?.id ?? 'every invariant'} holds', async () => {`,
    `  (await simulate(${call})).assert();`,
    '});',
    '',
  ].join('\n');
}

function oneLine(text: string): string {
  // Whatever ends a comment in TypeScript.
  const line = text.split(/[\n\r\u2028\u2029]/, 1)[0] ?? '';
  return line.length > 160 ? `${line.slice(0, 157)}...` : line;
}
