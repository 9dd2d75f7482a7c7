// The defects of `npm run mutants` follow the sources: one that no longer applies would kill nothing.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { withDefect } from './defect.js';
import { raftDefects } from './raft-defects.js';
import { editsOf } from './sim/sim-defect.js';
import { simDefects } from './sim-defects.js';

const sourceOf = (file: string): string =>
  readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');

describe('defects of the Raft core', () => {
  test.each(raftDefects)('defect "$name" -> still changes the source', (defect) => {
    const source = sourceOf(`raft/${defect.file}`);
    expect(withDefect(source, defect)).not.toBe(source);
  });

  test('at least 60 of them, each with a name of its own', () => {
    expect(new Set(raftDefects.map(({ name }) => name)).size).toBe(raftDefects.length);
    expect(raftDefects.length).toBeGreaterThanOrEqual(60);
  });
});

describe('defects for simulations', () => {
  test.each(simDefects)('defect "$name" -> still changes the source', (defect) => {
    const sources = new Map<string, string>();
    for (const edit of editsOf(defect)) {
      const source = sources.get(edit.file) ?? sourceOf(edit.file);
      const broken = withDefect(source, edit);
      expect(broken).not.toBe(source);
      sources.set(edit.file, broken);
    }
  });

  test('at least 60 of them, each with a name of its own', () => {
    expect(new Set(simDefects.map(({ name }) => name)).size).toBe(simDefects.length);
    expect(simDefects.length).toBeGreaterThanOrEqual(60);
  });
});
