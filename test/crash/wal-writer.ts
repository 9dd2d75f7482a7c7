/**
 * A process that writes to a log until it is killed: `wal-writer.ts DIR SEED`. For each append it
 * prints the last index once that is acknowledged, and what it asked the log to let go of before.
 */
import { writeSync } from 'node:fs';
import process from 'node:process';
import { Prng, randomInt } from '../../src/base/prng.js';
import { nodeFileSystem } from '../../src/storage/node-fs/index.js';
import { openWal } from '../../src/storage/wal/index.js';
import { walEntry, walOptions } from './wal-content.js';

const [dir = '', seed = '1'] = process.argv.slice(2);
const random = new Prng(Number(seed));
const log = await openWal({ fs: nodeFileSystem, dir, ...walOptions });
let last = log.lastIndex();

for (;;) {
  const count = 1 + randomInt(random, 5);
  const entries = Array.from({ length: count }, (_, at) => walEntry(last + 1 + at));
  last += count;
  const hardState = { term: 1, vote: 1, commit: last };
  const appended = log.append({ entries, hardState, mustSync: true });
  // Sometimes the next is handed over while this one is on its way.
  if (randomInt(random, 3) > 0) {
    await appended;
    writeSync(1, `acknowledged ${last}\n`);
  }
  if (randomInt(random, 20) === 0) {
    await appended;
    const index = last - randomInt(random, 40);
    writeSync(1, `truncating ${index}\n`);
    log.applied(last);
    await log.truncate(index);
  }
}
