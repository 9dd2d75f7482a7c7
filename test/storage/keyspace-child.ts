/** Opens damaged copies of a keyspace and says what became of each; see `every-byte`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemTimers } from '../../src/base/clock.js';
import { isKontikiError } from '../../src/base/errors.js';
import { decodeCurrent } from '../../src/mvcc/record.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { nodeFileSystem } from '../../src/storage/node-fs/index.js';
import { WriteBehindBackend } from '../../src/storage/write-behind.js';
import { damageEach } from './every-byte.js';

async function outcomeOf(folder: string, states: Record<string, string>): Promise<string> {
  try {
    const backend = await WriteBehindBackend.open({
      engine: await openClassicLevel(folder, { fs: nodeFileSystem }),
      timers: systemTimers,
      verify: (key, bytes) => void decodeCurrent(key, bytes),
    });
    try {
      const view = backend.capture();
      const found: string[] = [];
      for (;;) {
        const records = await view.next(100);
        if (records.length === 0) break;
        for (const [key, bytes] of records) {
          found.push(`${key}=${Buffer.from(bytes).toString('hex')}`);
        }
      }
      const index = backend.openedIndex;
      if (states[index] !== found.join()) return `different-at-${index}`;
      return index === Object.keys(states).length - 1 ? 'same' : 'earlier';
    } finally {
      await backend.close();
    }
  } catch (error) {
    if (isKontikiError(error)) return `refused-${error.code}`;
    return `untyped-${String(error)}`;
  }
}

const states = JSON.parse(
  readFileSync(join(process.argv[2] ?? '', 'states.json'), 'utf8'),
) as Record<string, string>;
void damageEach((copy) => outcomeOf(copy, states));
