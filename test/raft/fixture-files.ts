/**
 * Where the scenario files of other implementations lie. They are no part of this repository: a
 * folder beside it is used when it is there, and so is the one that the environment names.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const fixturesVariable = 'KONTIKI_RAFT_FIXTURES';

export interface FixtureFile {
  /** For titles: folder and file, and where it comes from unless that is the folder beside us. */
  readonly name: string;
  readonly text: string;
}

/** Every `*.txt` of the sub-folder, in order of name; empty when there is none anywhere. */
export function fixtureFiles(folder: 'confchange' | 'interaction' | 'quorum'): FixtureFile[] {
  const beside = fileURLToPath(new URL('../../../shared/fixtures/raft', import.meta.url));
  const named = process.env[fixturesVariable];
  const files = filesIn(join(beside, folder), folder, '');
  if (named === undefined || named === '' || isSame(beside, resolve(named))) return files;
  return [...files, ...filesIn(resolve(named, folder), folder, ` of ${fixturesVariable}`)];
}

function filesIn(path: string, folder: string, origin: string): FixtureFile[] {
  if (!existsSync(path)) return [];
  const names = readdirSync(path).filter((name) => name.endsWith('.txt'));
  return names.sort().map((name) => ({
    name: `${folder}/${name}${origin}`,
    text: readFileSync(join(path, name), 'utf8'),
  }));
}

function isSame(a: string, b: string): boolean {
  return existsSync(a) && existsSync(b) && realpathSync(a) === realpathSync(b);
}
