// Names are part of the API: what the docs name is there, and what is there is named by the docs.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openStore } from '../../src/preset/open-store.js';

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** What stands in backticks in the first cells of tables, or in some text. */
const quoted = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
const rows = (text: string): string[] =>
  [...text.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell]) => quoted(cell!));
const keysOf = (path: string, name: string): string[] => {
  const [, body = ''] =
    new RegExp(`interface ${name}[^{]*{\\n(.*?)\\n}`, 's').exec(read(path)) ?? [];
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, key]) => key!);
};
const between = (text: string, from: string, to: string): string =>
  text.slice(text.indexOf(from), text.indexOf(to));

const [, union = ''] = /export type ErrorCode =\n(.*?);/s.exec(read('src/base/errors.ts')) ?? [];
const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code!);

test('errors.md: every code, in order, and no other', () => {
  expect(codes.length).toBeGreaterThan(40);
  expect(rows(read('docs/errors.md'))).toEqual(codes);
});

test('metrics.md: every number and every fact of a store, and no other', async () => {
  const store = await openStore();
  const [metrics, status] = [Object.keys(store.metrics()), Object.keys(store.status())];
  await store.close();
  const page = read('docs/api/metrics.md');
  const tables = between(page, '## `metrics()`', '## Diagnostics');
  expect(rows(tables).sort()).toEqual(metrics.sort());
  const facts = quoted(between(page, '## `status()`', '## `metrics()`'));
  expect(status.filter((name) => !facts.includes(name))).toEqual([]);
  const ofPeers = [
    'matchIndex',
    'state',
    'isActive',
    'isLearner',
    'probe',
    'replicate',
    'snapshot',
  ];
  const known = [...status, ...ofPeers, 'status()', 'metrics()'];
  expect(facts.filter((name) => !known.includes(name))).toEqual([]);
});

test('node.md and care.md: every event, and no other', () => {
  const [, row = ''] = /^\| `node\.on\(event[^|]*\|([^|]*)/m.exec(read('docs/api/node.md')) ?? [];
  expect(quoted(row)).toEqual(keysOf('src/node/member-events.ts', 'MemberEvents'));
  const care = read('docs/api/care.md');
  const ofStores = keysOf('src/store/events.ts', 'StoreEvents');
  expect(ofStores.length).toBeGreaterThan(0);
  for (const event of ofStores)
    expect(care).toMatch(new RegExp(`event \`${event}\`|on\\('${event}'`));
});
