/**
 * Where histories with known verdicts lie. They are no part of this repository: a folder beside it is
 * used when it is there, and so is the one that the environment names. Layout: `jepsen/*.log` with
 * `jepsen/verdicts.tsv`, `kv/*-ok.txt` and `kv/*-bad.txt`.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const historiesVariable = 'KONTIKI_HISTORY_FIXTURES';

export interface HistoryFile {
  /** For titles: folder and file, and where it comes from unless that is the folder beside us. */
  readonly name: string;
  readonly text: string;
  readonly isLinearizable: boolean;
}

/** Files of both places, in order of name; empty when there are none anywhere. */
export function historyFiles(folder: 'jepsen' | 'kv'): HistoryFile[] {
  const beside = fileURLToPath(
    new URL('../../../../shared/fixtures/linearizability', import.meta.url),
  );
  const named = process.env[historiesVariable];
  const files = filesIn(join(beside, folder), folder, '');
  if (named === undefined || named === '' || isSame(beside, resolve(named))) return files;
  return [...files, ...filesIn(resolve(named, folder), folder, ` of ${historiesVariable}`)];
}

function filesIn(path: string, folder: 'jepsen' | 'kv', origin: string): HistoryFile[] {
  if (!existsSync(path)) return [];
  const verdicts = folder === 'jepsen' ? verdictsIn(join(path, 'verdicts.tsv')) : undefined;
  const names = readdirSync(path).filter((name) => /\.(log|txt)$/.test(name));
  return names.sort().map((name) => {
    const verdict = verdicts === undefined ? verdictOfName(name) : verdicts.get(name);
    if (verdict === undefined) throw new Error(`no verdict of ${folder}/${name} is known`);
    const text = readFileSync(join(path, name), 'utf8');
    return { name: `${folder}/${name}${origin}`, text, isLinearizable: verdict };
  });
}

/** Lines of a file name, a tab, and `linearizable` or `not-linearizable`. */
function verdictsIn(path: string): Map<string, boolean> {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [name, verdict] = line.trim().split('\t');
      const isKnown = verdict === 'linearizable' || verdict === 'not-linearizable';
      if (name === undefined || !isKnown) throw new Error(`no verdict: ${line}`);
      return [name, verdict === 'linearizable'];
    }),
  );
}

function verdictOfName(name: string): boolean | undefined {
  if (name.endsWith('-ok.txt')) return true;
  return name.endsWith('-bad.txt') ? false : undefined;
}

function isSame(a: string, b: string): boolean {
  return existsSync(a) && existsSync(b) && realpathSync(a) === realpathSync(b);
}
