/** Opens stores on damaged copies of a data directory and says what became of each; see `every-byte`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStoreOn } from '../../src/assembly/open-store-on.js';
import { isKontikiError } from '../../src/base/errors.js';
import { systemEnv } from '../../src/preset/system-env.js';
import { damageEach } from '../storage/every-byte.js';
import { directoryConfig, everythingIn } from './whole-directory.js';

async function outcomeOf(dir: string, expected: string): Promise<string> {
  try {
    const config = directoryConfig(dir);
    const store = await openStoreOn(await systemEnv(config), config);
    try {
      if ((await everythingIn(store)) !== expected) return 'different';
      const before = store.status().revision;
      const { revision } = await store.put('next', '1');
      return revision === before + 1 ? 'same' : 'revisions';
    } finally {
      await store.close();
    }
  } catch (error) {
    return isKontikiError(error) ? `refused-${error.code}` : `untyped-${String(error)}`;
  }
}

const expected = readFileSync(join(process.argv[2] ?? '', 'expected.json'), 'utf8');
void damageEach((copy) => outcomeOf(copy, expected));
