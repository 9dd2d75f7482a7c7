// Goal: the lint rules we rely on are really on; an override or a new version can switch one off unseen.
// Method: lint one planted file per rule, in a temporary folder that holds nothing but our configuration.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from './source.js';

const planted: Readonly<Record<string, string>> = {
  noFloatingPromises:
    'async function f(): Promise<void> {}\nexport function g(): void {\n  f();\n}',
  noExplicitAny: 'export const a: any = 1;',
  noConsole: "console.log('a');",
  useImportType: "import { A } from './a.js';\nexport const f = (a: A): A => a;",
  noUnusedVariables: 'const a = 1;',
  clean: 'export const a = 1;',
};

const broken = new Map<string, string[]>();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kontiki-lint-'));
  mkdirSync(join(folder, 'src'));
  const config = JSON.parse(readFileSync(`${root}biome.json`, 'utf8'));
  // There is no repository around the temporary folder.
  writeFileSync(join(folder, 'biome.json'), JSON.stringify({ ...config, vcs: { enabled: false } }));
  for (const [name, code] of Object.entries(planted)) {
    writeFileSync(join(folder, 'src', `${name}.ts`), `${code}\n`);
  }
  const binary = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');
  const args = [binary, 'lint', '--reporter=github', '--max-diagnostics=none'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  for (const [, rule, name] of stdout.matchAll(
    /title=lint\/\w+\/(\w+),file=[^,]*\bsrc[\\/](\w+)\.ts/g,
  )) {
    broken.set(name!, [...(broken.get(name!) ?? []), rule!]);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(Object.keys(planted).filter((name) => name !== 'clean'))('%s is on in src', (rule) => {
  expect(broken.get(rule)).toContain(rule);
});

test('clean code breaks no rule', () => {
  expect(broken.get('clean')).toBeUndefined();
});
