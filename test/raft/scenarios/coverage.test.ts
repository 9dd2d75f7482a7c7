/**
 * Every scenario of the collection has a test: the ids of its rows are looked for in the names of
 * the tests of the core.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const collection = join(root, '../../../shared/specs/raft-unit-scenarios.md');

/** `R-53`, or both ends of `U-1..3`. */
const idPattern = /\b([A-Z])-(\d+)(?:\.\.(\d+))?/g;

/** All ids in a text, ranges spelled out. */
function idsIn(text: string): string[] {
  return [...text.matchAll(idPattern)].flatMap(([, letter, first, last = first]) => {
    const count = Number(last) - Number(first) + 1;
    return Array.from({ length: count }, (_, at) => `${letter}-${Number(first) + at}`);
  });
}

/** First cells of the tables; section 9 is prose that starts each item with its id. */
function rowsOf(markdown: string): string[] {
  const rows = [...markdown.matchAll(/^\| ([A-Z]-[^|]*)\|/gm)].flatMap(([, cell]) => idsIn(cell!));
  const prose = markdown.split(/^## /m).find((section) => section.startsWith('9.')) ?? '';
  return [...new Set([...rows, ...idsIn(prose).filter((id) => id.startsWith('Q-'))])];
}

/**
 * Ids in names of tests, which all read "subject: situation -> outcome", or alone as the `id` of a
 * row whose test gets its name from it.
 */
function testedIds(): Set<string> {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const ids = new Set<string>();
  for (const file of files) {
    if (!file.endsWith('.ts') || file.endsWith('coverage.test.ts')) continue;
    const source = readFileSync(join(root, file), 'utf8');
    for (const [literal] of source.matchAll(
      /'[^'\n]*->[^'\n]*'|`[^`\n]*->[^`\n]*`|id: '[^'\n]*'/g,
    )) {
      for (const id of idsIn(literal)) ids.add(id);
    }
  }
  return ids;
}

describe('coverage', () => {
  test('ids: cells, ranges and several in one -> all spelled out', () => {
    const rows = rowsOf(
      '| R-58 / R-59 | x |\n| U-1..3 | y |\n| R-6 ± | z |\n## 9. Q\nQ-1 a. Q-2 b',
    );
    expect(rows).toEqual(['R-58', 'R-59', 'U-1', 'U-2', 'U-3', 'R-6', 'Q-1', 'Q-2']);
  });

  test('rows: every scenario of the collection -> in the name of a test', (context) => {
    context.skip(!existsSync(collection), 'needs ../shared/specs/raft-unit-scenarios.md');
    const rows = rowsOf(readFileSync(collection, 'utf8'));
    expect(rows.length).toBeGreaterThan(200);
    const tested = testedIds();
    const missing = rows.filter((id) => !tested.has(id));
    expect(missing).toEqual([]);
  });
});
