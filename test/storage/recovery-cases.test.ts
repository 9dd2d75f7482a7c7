// docs/storage.md says of every fault what becomes of it and which test shows that. Here the document is
// held to it: no table names a test that is not there, and no case is missing.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const root = `${import.meta.dirname}/../..`;

interface Row {
  readonly fault: string;
  readonly outcome: string;
  /** Paths of test files, from the root. */
  readonly tests: readonly string[];
}

/** Rows of the tables whose columns are fault, outcome and test. */
function rowsOf(markdown: string): Row[] {
  const rows: Row[] = [];
  let isTable = false;
  for (const line of markdown.split('\n')) {
    if (!line.startsWith('|')) isTable = false;
    else if (/^\| fault \|.*\| test \|$/.test(line)) isTable = true;
    else if (isTable && !line.startsWith('|---')) rows.push(rowOf(line));
  }
  return rows;
}

function rowOf(line: string): Row {
  const [fault = '', outcome = '', shown = ''] = line.slice(1, -1).split(' | ');
  const names = [...shown.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  const paths = names.map((name) => (name.startsWith('test/') ? name : `test/storage/wal/${name}`));
  return { fault: fault.trim(), outcome, tests: paths.map((path) => `${path}.test.ts`) };
}

const rows = rowsOf(readFileSync(`${root}/docs/storage.md`, 'utf8'));

/** What a member must know how to end, whatever else it knows. */
const cases: readonly [case_: string, fault: RegExp, outcome: RegExp][] = [
  ['clean end', /^clean end/, /goes on/],
  ['torn last group', /^torn last group/, /cut/],
  ['zero-filled tail', /^zero-filled tail/, /the end/],
  ['garbage tail', /^garbage tail/, /WAL_CORRUPT/],
  ['damaged record before valid ones', /^damaged record with valid ones/, /WAL_CORRUPT/],
  ['flipped bit', /^a flipped bit/, /WAL_CORRUPT/],
  ['misdirected write', /landed elsewhere/, /WAL_CORRUPT/],
  ['missing segment', /^segment missing, first/, /WAL_CORRUPT/],
  ['missing last segment', /^segment missing, the last/, /is compared/],
  ['hard state behind the log', /^hard state behind the log/, /legal/],
  ['applied ahead of the commit', /^hard state behind the log/, /raises it to the applied index/],
  ['applied ahead of the log', /^applied index beyond the log/, /WAL_CORRUPT/],
  ['applied behind the first index', /^applied index before/, /installing.*STATE_CORRUPT/],
  ['unsynced writes lost', /^a power loss at any moment/, /applied index/],
  ['names the disk forgot', /names the disk forgot/, /finished/],
  ["hole in LevelDB's log", /^a hole in LevelDB/, /STATE_CORRUPT/],
  ["LevelDB's names lost", /manifest or `CURRENT`/, /never an empty/],
  ['damaged table', /^a table damaged/, /STATE_CORRUPT/],
  ['damaged keyspace record', /^damaged keyspace record/, /STATE_CORRUPT/],
  ['damaged pointer', /^damaged pointer/, /STATE_CORRUPT/],
  ['damaged member file', /^damaged or short member file/, /STATE_CORRUPT/],
  ['damaged snapshot', /^a snapshot file damaged/, /SNAPSHOT_CORRUPT/],
  ['fsync error', /^failed sync/, /final/],
  ['lying fsync', /acknowledges syncs it did not do/, /./],
  ['ENOSPC before it is needed', /^no space for zeros ahead/, /rejected/],
  ['ENOSPC during a write', /^no space for a group/, /cut back/],
  ['ENOSPC at a sync', /^no space at a sync/, /not written or synced again/],
  ['ENOSPC in the engine', /^no space for a flush/, /waits/],
  ['read-only directory', /^read-only folder/, /STORAGE_IO/],
  ['EMFILE while it runs', /^no descriptor for the next segment/, /STORAGE_IO/],
  ['EMFILE at open', /^no descriptor at open/, /STORAGE_IO/],
  ['EIO on read', /^a sector that cannot be read/, /STORAGE_IO/],
  ['slow disk', /^a disk that takes seconds/, /nothing is acknowledged/],
  ['later formats', /^later format of/, /FORMAT_UNSUPPORTED/],
];

describe('docs/storage.md', () => {
  test.each(rows)('$fault -> its tests are there', ({ tests }) => {
    expect(tests).not.toEqual([]);
    for (const path of tests) expect(existsSync(`${root}/${path}`), path).toBe(true);
  });

  test.each(cases)('%s -> in a table, with what becomes of it', (_, fault, outcome) => {
    const named = rows.filter((row) => fault.test(row.fault));
    expect(named).toHaveLength(1);
    expect(named[0]?.outcome).toMatch(outcome);
  });
});
