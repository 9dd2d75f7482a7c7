// Goal: the exports map, the build's entries and the files of `src` name the same doors.
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { binaries, entries, entryFolders } from '../tsup.config.js';

const fromRoot = (path: string): URL => new URL(`../${path}`, import.meta.url);

const outputOf = (folder: string): string => (folder === '' ? 'index' : `${folder}/index`);

test('exports map: each entry folder has types and default, in this order, and nothing more', () => {
  const expected = Object.fromEntries(
    entryFolders.map((folder) => [
      folder === '' ? '.' : `./${folder}`,
      { types: `./dist/${outputOf(folder)}.d.ts`, default: `./dist/${outputOf(folder)}.js` },
    ]),
  );
  expect(packageJson.exports).toEqual({ ...expected, './package.json': './package.json' });
  for (const target of Object.values<object | string>(packageJson.exports)) {
    // Conditions are tried in order: types come first, or TypeScript takes the JavaScript.
    if (typeof target === 'object') expect(Object.keys(target)).toEqual(['types', 'default']);
  }
});

test('build entries: one per entry folder and binary', () => {
  const outputs = [...entryFolders.map(outputOf), ...Object.values(binaries)];
  expect(Object.keys(entries).sort()).toEqual(outputs.sort());
});

test('build entries: every source file exists', () => {
  expect(Object.values(entries).filter((path) => !existsSync(fromRoot(path)))).toEqual([]);
});

test('binaries: the bin map names the built modules, and their sources start with a shebang', () => {
  const expected = Object.entries(binaries).map(([name, module]) => [name, `./dist/${module}.js`]);
  expect(packageJson.bin).toEqual(Object.fromEntries(expected));
  for (const module of Object.values(binaries)) {
    const source = readFileSync(fromRoot(`src/${module}.ts`), 'utf8');
    expect(source.split('\n')[0]).toBe('#!/usr/bin/env node');
  }
});

test('package: no script of ours runs at install', () => {
  const atInstall = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
  expect(Object.keys(packageJson.scripts).filter((name) => atInstall.includes(name))).toEqual([]);
});
