// Goal: the core does what the scenario files of etcd-io/raft say, line by line, log lines left out
// (level L1), and does it again with other numbers, through the real codecs, on frozen values, and
// with somebody looking on. The files are no part of this repository.
import { describe, expect, test } from 'vitest';
import { MembershipCases } from './conformance/membership-cases.js';
import { runQuorumCase } from './conformance/quorum-cases.js';
import { runScenario } from './conformance/run-scenario.js';
import { relabellingOf, type Variant, variants } from './conformance/variant.js';
import { runDirectives } from './datadriven.js';
import { type FixtureFile, fixtureFiles } from './fixture-files.js';

const runs = {
  interaction: (file: FixtureFile, variant: Variant): void => {
    const options = { variant, asReference: true };
    const shown = runScenario(file, options);
    expect(runScenario(file, options), 'the same run shows the same').toEqual(shown);
  },
  quorum: ({ name, text }: FixtureFile, variant: Variant): void => {
    runDirectives(name, text, (directive) => runQuorumCase(directive, relabellingOf(variant)));
  },
  confchange: ({ name, text }: FixtureFile, variant: Variant): void => {
    const cases = new MembershipCases(relabellingOf(variant));
    runDirectives(name, text, (directive) => cases.run(directive));
  },
} as const;

const folders = ['interaction', 'quorum', 'confchange'] as const;

describe.each(folders)('conformance: %s', (folder) => {
  const files = fixtureFiles(folder);

  test('there are files', (context) => {
    context.skip(files.length === 0, 'needs ../shared/fixtures/raft or KONTIKI_RAFT_FIXTURES');
    expect(files.length).toBeGreaterThan(0);
  });

  for (const file of files) {
    test.each(variants)(`${file.name}, $name`, (variant) => runs[folder](file, variant));
  }
});
