// The defects of `npm run mutants` follow the sources: one that no longer applies would kill nothing.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { withDefect } from './defect.js';
import { raftDefects } from './raft-defects.js';

const sourceOf = (file: string): string =>
  readFileSync(new URL(`../../src/raft/${file}`, import.meta.url), 'utf8');

test.each(raftDefects)('defect "$name" -> still changes the source', (defect) => {
  const source = sourceOf(defect.file);
  expect(withDefect(source, defect)).not.toBe(source);
});

test('at least 60 of them, each with a name of its own', () => {
  expect(new Set(raftDefects.map(({ name }) => name)).size).toBe(raftDefects.length);
  expect(raftDefects.length).toBeGreaterThanOrEqual(60);
});
