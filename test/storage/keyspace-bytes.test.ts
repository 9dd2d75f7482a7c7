// Every byte of the files of a small keyspace, flipped and cut: it opens as it was, as exactly an earlier
// state, or not at all. KONTIKI_DEPTH=n tries n times as many; 19 or more tries every one.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemTimers } from '../../src/base/clock.js';
import type { Change } from '../../src/mvcc/backend.js';
import { encodeChange } from '../../src/mvcc/record.js';
import { currentKey } from '../../src/mvcc/record-keys.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { outcomesOfDamage } from './every-byte-outcomes.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
// Odd, so that flips and cuts both come up.
const stride = Math.max(1, Math.floor(19 / depth) | 1);
const child = new URL('./keyspace-child.ts', import.meta.url);

function record(key: string, revision: number): Uint8Array {
  const version = {
    key,
    value: new Uint8Array(20).fill(revision),
    createRevision: revision,
    modRevision: revision,
    version: 1,
    lease: undefined,
  };
  return encodeChange({ type: 'put', sub: 0, version, previous: { revision: 0, sub: 0 } });
}

const open = async (folder: string): Promise<WriteBehindBackend> =>
  WriteBehindBackend.open({ engine: await openClassicLevel(folder), timers: systemTimers });

/** Half of it in LevelDB's tables, half in its log; says what each applied index stands for. */
async function fill(folder: string): Promise<string[]> {
  const states = [''];
  const model = new Map<string, string>();
  let backend = await open(folder);
  for (let index = 1; index <= 6; index += 1) {
    const changes: Change[] = [];
    for (const key of ['alpha', 'beta', 'gamma'].slice(0, 1 + (index % 3))) {
      changes.push([currentKey(key), record(key, index)]);
    }
    if (index === 6) changes.push([currentKey('beta'), undefined]);
    for (const [key, bytes] of changes) {
      if (bytes === undefined) model.delete(key);
      else model.set(key, Buffer.from(bytes).toString('hex'));
    }
    const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
    states.push(sorted.map(([key, hex]) => `${key}=${hex}`).join());
    backend.apply(changes, index);
    await backend.flush();
    if (index !== 3) continue;
    await backend.close();
    backend = await open(folder);
  }
  await backend.close();
  return states;
}

test('small keyspace: each byte flipped and cut -> same, an earlier state, or refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kontiki-bytes-'));
  try {
    const states = await fill(join(folder, 'good'));
    await writeFile(join(folder, 'states.json'), JSON.stringify(states));
    const legal = /^(same|earlier|refused-(STATE_CORRUPT|STORAGE_IO|FORMAT_UNSUPPORTED))$/;
    const outcomes = outcomesOfDamage({ child, folder, stride, legal });
    // Both ways out are met, and damage is not ignored.
    for (const outcome of ['earlier', 'refused-STATE_CORRUPT']) {
      expect(outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(0);
    }
    if (depth > 1) console.log(Object.fromEntries(outcomes));
  } finally {
    await rm(folder, { recursive: true });
  }
}, 600_000);
