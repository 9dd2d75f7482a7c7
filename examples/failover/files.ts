/**
 * The data of the demo: files that are on every machine that runs it.
 */
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Item } from './protocol.js';

export const keysMin = 5_000;
const keysMax = 12_000;
const fileBytesMax = 64 * 1024;

export interface Files {
  readonly items: readonly Item[];
  readonly bytes: number;
}

/**
 * Every regular file of at most 64 KiB under `node_modules`, up to 12,000 of them, as path ->
 * content. Where the packages are too few, those of the npm that came with Node go with them.
 *
 * @param root - the folder that holds `node_modules`; keys are relative to it
 * @throws {Error} when there are fewer than 5,000 files
 */
export async function findFiles(root: string): Promise<Files> {
  const paths = new Map<string, string>();
  let bytes = 0;
  for (const { folder, base } of sources(root)) {
    for await (const file of walk(folder)) {
      if (paths.size === keysMax) break;
      const key = relative(base, file.path).split(sep).join('/');
      if (paths.has(key)) continue;
      paths.set(key, file.path);
      bytes += file.bytes;
    }
    if (paths.size < keysMin) continue;
    return { items: [...paths].map(([key, path]): Item => ({ key, path })), bytes };
  }
  throw new Error(`expected at least ${keysMin} small files, found ${paths.size}: run npm ci`);
}

function sources(root: string): { readonly folder: string; readonly base: string }[] {
  const nodeFolder = dirname(process.execPath);
  const npmFolders = [
    join(nodeFolder, '..', 'lib', 'node_modules'),
    join(nodeFolder, 'node_modules'),
  ];
  // npm tells its scripts where it is: .../node_modules/npm/bin/npm-cli.js
  const { npm_execpath: npmProgram } = process.env;
  if (npmProgram !== undefined) npmFolders.unshift(dirname(dirname(dirname(npmProgram))));
  const npm = npmFolders.map((base) => ({ folder: join(base, 'npm'), base }));
  return [{ folder: join(root, 'node_modules'), base: root }, ...npm];
}

async function* walk(folder: string): AsyncGenerator<{ path: string; bytes: number }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    // Dot folders hold caches, which tools may rewrite while the demo runs.
    if (entry.isDirectory() && !entry.name.startsWith('.')) yield* walk(path);
    if (!entry.isFile()) continue;
    const { size } = await stat(path);
    if (size <= fileBytesMax) yield { path, bytes: size };
  }
}
