#!/usr/bin/env node
/**
 * The `kontiki` program. What it does is in `command-line.ts`; this is its connection to the process.
 */
import process from 'node:process';
import { nodeFileSystem } from '../storage/node-fs/index.js';
import { runCommandLine } from './command-line.js';

process.exitCode = await runCommandLine(process.argv.slice(2), {
  fs: nodeFileSystem,
  // As far from here in `src` as in `dist`: this module is an entry of the build, never a chunk.
  packageFile: `${import.meta.dirname}/../../package.json`,
  print: (line) => console.log(line),
  printError: (line) => console.error(line),
});
