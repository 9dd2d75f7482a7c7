#!/usr/bin/env node
/**
 * The `kontiki` program. What it does is in `command-line.ts`; this is its connection to the process.
 */
import process from 'node:process';
import { systemClock } from '../base/clock.js';
import { lockHolder, nodeFileSystem } from '../storage/node-fs/index.js';
import { runCommandLine } from './command-line.js';

// Who reads the answer may have gone, or its disk be full. That is no damage, as 1 would say.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(2));

process.exitCode = await runCommandLine(process.argv.slice(2), {
  fs: nodeFileSystem,
  lockHolder,
  // As far from here in `src` as in `dist`: this module is an entry of the build, never a chunk.
  packageFile: `${import.meta.dirname}/../../package.json`,
  clock: systemClock,
  loadTesting: () => import('../testing/index.js'),
  // Back to the start of the line, and whatever stood there is gone.
  update: process.stdout.isTTY ? (line) => process.stdout.write(`\r\u001b[K${line}`) : undefined,
  print: (line) => console.log(line),
  printError: (line) => console.error(line),
});
