import { defineConfig } from 'tsup';

/** Folders of `src` that are entry points, `''` being the root; each holds an `index.ts`. */
export const entryFolders = [
  '',
  'raft',
  'mvcc',
  'storage',
  'storage/wal',
  'storage/node-fs',
  'storage/classic-level',
  'storage/level',
  'transport',
  'transport/tcp',
  'node',
  'store',
  'concurrency',
  'testing',
  'testing/fast-check',
] as const;

/** Executables: bin name of `package.json` -> module of `src`, without its ending. */
export const binaries = { kontiki: 'cli/main' } as const;

const modules = [
  ...entryFolders.map((folder) => (folder === '' ? 'index' : `${folder}/index`)),
  ...Object.values(binaries),
];

/** Output name under `dist` -> source file. */
export const entries: Record<string, string> = Object.fromEntries(
  modules.map((module) => [module, `src/${module}.ts`]),
);

export default defineConfig({
  entry: entries,
  format: 'esm',
  target: 'node20.19',
  platform: 'node',
  // Shared modules go to chunks, so that a class has one identity whichever entry point it came from.
  splitting: true,
  sourcemap: true,
  removeNodeProtocol: false,
  // Declarations come from `tsc -p tsconfig.build.json`.
  dts: false,
  clean: false,
});
