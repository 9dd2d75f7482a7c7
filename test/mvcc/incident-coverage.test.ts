/**
 * Every row of etcd's incident list (reliability §2) has a test that names it, or stands here: with the
 * test of another folder that holds it, or with what it waits for.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const collection = join(root, '../../shared/specs/reliability.md');

/** Rows about consensus: file and the beginning of a test's name. */
const elsewhere: Readonly<Record<string, readonly [file: string, name: string]>> = {
  '14370': ['raft/candidate.test.ts', 'S6 own vote not durable yet'],
  '20418': ['raft/read-index.test.ts', 'H31 a late answer'],
  '7331': ['raft/read-index.test.ts', 'H30 nothing committed in the own term'],
};

/** Rows about what there is not yet. */
const later: Readonly<Record<string, string>> = {
  '14571': 'there is no authorization yet: nothing beside the state machine can hold its cache',
  '21736': 'members cannot be updated yet; in the core a role changes by a promotion alone',
};

/** Names of the rows in the section's table: `17780/16693` is two. */
function rowsOf(markdown: string): string[] {
  const section = markdown.split(/^## /m).find((each) => each.startsWith('2.')) ?? '';
  const cells = [...section.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell]) => cell!.trim());
  return cells
    .flatMap((cell) => cell.split(/[/,] ?/))
    .filter((name) => /^(\d+|hash\.go)$/.test(name));
}

/** Literals that name a test or a group of them, `12528, 15247 what broke: what holds`. */
function namesIn(source: string): string[] {
  const calls = source.matchAll(/\b(?:test|describe)(?:\.each[\s\S]*?\))?\(\s*'([^'\n]+)'/g);
  return [...calls].map(([, name]) => name!);
}

function testNames(): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && !file.endsWith('coverage.test.ts'))
    .flatMap((file) => namesIn(readFileSync(join(root, file), 'utf8')));
}

const isNamed = (row: string, names: readonly string[]): boolean =>
  names.some((name) => name.split(/[ ,:]+/).includes(row));

describe('coverage of incidents', () => {
  test('rows: several numbers in one -> each by itself', () => {
    const table =
      '## 1. x\n| 1 | y |\n## 2. z\n| # | what |\n|---|---|\n| 17/18 | a |\n| hash.go | b |\n';
    expect(rowsOf(table)).toEqual(['17', '18', 'hash.go']);
    expect(isNamed('17', namesIn("test('16, 17 a: b', () => {})"))).toBe(true);
    expect(isNamed('17', namesIn("test('170 a: b 17.5', () => {})"))).toBe(false);
    expect(isNamed('17', namesIn("test.each([1, f(2)])(\n  '17 %i', () => {})"))).toBe(true);
  });

  test('every row of the list -> in the name of a test, or accounted for here', (context) => {
    context.skip(!existsSync(collection), 'needs ../shared/specs/reliability.md');
    const rows = rowsOf(readFileSync(collection, 'utf8'));
    expect(rows.length).toBeGreaterThan(25);
    const names = testNames();
    const missing = rows.filter(
      (row) => !(row in elsewhere) && !(row in later) && !isNamed(row, names),
    );
    expect(missing).toEqual([]);
    const accounted = [...Object.keys(elsewhere), ...Object.keys(later)];
    expect(accounted.filter((row) => !rows.includes(row) || isNamed(row, names))).toEqual([]);
  });

  test.each(Object.entries(elsewhere))('%s -> its test is there', (_row, [file, name]) => {
    expect(readFileSync(join(root, file), 'utf8')).toContain(`'${name}`);
  });
});
