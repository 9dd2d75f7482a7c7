// Goal: the example's table is the same on every member, from its file, from the log and from a snapshot.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../examples/custom-state-machine/main.js';
import { type Command, encode, Table } from '../../examples/custom-state-machine/table.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kontiki-table-'));
});
afterEach(() => rm(root, { recursive: true }));

const entry = (index: number, command: Command | undefined) => {
  return { index, term: 1, command: command && encode(command) };
};

const inserts = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) =>
    entry(from + at, { op: 'insert', row: { id: `r${from + at}`, at } }),
  );

const rowsOf = (table: Table) => table.select(() => true);

async function* chunksOf(table: Table) {
  const snapshot = table.snapshot();
  for (let chunk = await snapshot.next(); chunk !== undefined; chunk = await snapshot.next()) {
    // Cut anywhere.
    yield chunk.subarray(0, 7);
    yield chunk.subarray(7);
  }
}

test('the example: writes from everywhere, a leader, a restart -> the same rows on every member', async () => {
  const lines: string[] = [];
  const tables = await run(root, (line) => lines.push(line));
  expect(lines[0]).toBe('90 of 120 inserts done, the others exist');
  expect(lines[1]).toMatch(/^[abc] leads term \d+: the report is written$/);
  expect(lines.at(-1)).toBe('c has caught up: row-1 is "gone"');
  const [first, ...others] = tables.map(rowsOf);
  expect(first).toHaveLength(90);
  for (const rows of others) expect(rows).toEqual(first);
});

test('a restart: the file and what came since -> as before; the index and the rows go together', async () => {
  const path = join(root, 'deep', 'rows');
  const table = new Table(path, 10);
  expect(await table.open()).toEqual({ appliedIndex: 0 });
  await table.apply(inserts(1, 10));
  await table.flush();
  await table.apply([...inserts(11, 15), entry(16, undefined)]);
  await table.close();
  const again = new Table(path);
  expect(await again.open()).toEqual({ appliedIndex: 10 });
  expect(again.size).toBe(10);
  const answers = await again.apply(inserts(11, 15));
  expect(answers.every((answer) => answer?.done)).toBe(true);
  expect(rowsOf(again)).toEqual(rowsOf(table));
});

test('a snapshot: taken beside later commands, cut anywhere, durable when it is restored', async () => {
  const table = new Table(join(root, 'one'));
  await table.open();
  await table.apply(inserts(1, 2_500));
  const expected = rowsOf(table);
  const chunks = chunksOf(table);
  const first = await chunks.next();
  await table.apply([entry(2_501, { op: 'remove', id: 'r1' })]);
  const other = new Table(join(root, 'two'));
  await other.open();
  const all = (async function* () {
    yield first.value as Uint8Array;
    yield* chunks;
  })();
  await other.restore(2_500, all);
  expect(rowsOf(other)).toEqual(expected);
  expect(other.durableIndex).toBe(2_500);
  const again = new Table(join(root, 'two'));
  expect(await again.open()).toEqual({ appliedIndex: 2_500 });
  expect(rowsOf(again)).toEqual(expected);
  // Its file is written beside all this, into the folder that goes now.
  await table.close();
});

test('commands that cannot be done are answered, and change nothing', async () => {
  const table = new Table(join(root, 'rows'));
  await table.open();
  const row = { id: 'a', n: 1 };
  const answers = await table.apply([
    entry(1, { op: 'update', row }),
    entry(2, { op: 'insert', row }),
    entry(3, { op: 'insert', row: { id: 'a', n: 2 } }),
    entry(4, { op: 'update', row: { id: 'a', m: 3 } }),
    entry(5, { op: 'remove', id: 'b' }),
  ]);
  expect(answers).toEqual([
    { done: false, why: 'missing' },
    { done: true, row },
    { done: false, why: 'exists' },
    { done: true, row: { id: 'a', n: 1, m: 3 } },
    { done: false, why: 'missing' },
  ]);
  expect(table.get('a')).toEqual({ id: 'a', n: 1, m: 3 });
});
