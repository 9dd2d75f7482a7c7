// The rules of the house, checked on the repository itself. Each finding reads `file:line what is wrong`;
// that every rule can fail is shown in test/tidy/rules.test.ts.
import { describe, expect, test } from 'vitest';
import { entryFolders } from '../tsup.config.js';
import { checkAsync, checkClocks, checkDefaultExports } from './tidy/bans.js';
import { checkDocs } from './tidy/docs.js';
import { exceptions, report } from './tidy/exceptions.js';
import {
  checkFileNames,
  checkLockFile,
  checkMachineTraces,
  checkOpenEnds,
  checkSkips,
} from './tidy/hygiene.js';
import { checkImports, checkRootIsReExports } from './tidy/imports.js';
import { checkFileLengths, checkFunctionLengths } from './tidy/lengths.js';
import { type Finding, readRepository, type Source } from './tidy/source.js';

const files = readRepository();
const entryPaths = entryFolders.map((folder) =>
  folder === '' ? 'src/index.ts' : `src/${folder}/index.ts`,
);

const rules: Readonly<Record<string, (files: readonly Source[]) => Finding[]>> = {
  'imports follow the table': checkImports,
  'the root only re-exports': checkRootIsReExports,
  'time and chance come from outside': checkClocks,
  'no async in raft and mvcc': checkAsync,
  'exports have names': checkDefaultExports,
  'files are short': checkFileLengths,
  'functions are short': checkFunctionLengths,
  'every public name has a docstring with @since': (all) => checkDocs(all, entryPaths),
  'open ends name an issue': checkOpenEnds,
  'files are named after what they hold': checkFileNames,
  'a skipped test gives its reason': checkSkips,
  'no absolute path and no registry host': checkMachineTraces,
  'the lock file holds no download address': checkLockFile,
};

describe('tidy', () => {
  test.each(Object.keys(rules))('%s', (rule) => {
    const findings = report(rule, rules[rule]!(files));
    if (findings.length > 0) expect.fail(`${rule}\n${findings.join('\n')}`);
  });

  test('the scan sees the repository', () => {
    const paths = new Set(files.map((file) => file.path));
    const expected = [...entryPaths, 'src/base/clock.ts', 'package-lock.json', 'test/tidy.test.ts'];
    expect(expected.filter((path) => !paths.has(path))).toEqual([]);
  });

  test('exceptions name rules that exist', () => {
    for (const { rule } of exceptions) expect(Object.keys(rules)).toContain(rule);
  });
});
