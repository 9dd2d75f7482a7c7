/** Opens stores on damaged copies of a data directory and says what became of each; see `every-byte`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { damageEach } from '../storage/every-byte.js';
import { outcomeOfOpening } from './whole-directory.js';

const expected = readFileSync(join(process.argv[2] ?? '', 'expected.json'), 'utf8');
void damageEach((copy) => outcomeOfOpening(copy, expected));
