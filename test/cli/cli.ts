/** The program without its process: words in, lines and an exit status out. */
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.js';
import type { CommandContext } from '../../src/cli/command.js';
import { runCommandLine } from '../../src/cli/command-line.js';
import { lockHolder, nodeFileSystem } from '../../src/storage/node-fs/index.js';

export const packageFile = join(import.meta.dirname, '..', '..', 'package.json');

export function run(...words: string[]) {
  return runWith({}, ...words);
}

/** @param parts - in place of those that the program has */
export async function runWith(parts: Partial<CommandContext>, ...words: string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await runCommandLine(words, {
    fs: nodeFileSystem,
    lockHolder,
    packageFile,
    clock: systemClock,
    loadTesting: () => Promise.reject(new Error('only sim needs the simulator')),
    update: undefined,
    print: (line) => out.push(line),
    printError: (line) => errors.push(line),
    ...parts,
  });
  return { code, out: out.join('\n'), errors: errors.join('\n') };
}
