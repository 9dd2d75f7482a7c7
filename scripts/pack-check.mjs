// Checks what a user gets: packs the package, installs the tarball without install scripts into an
// empty project, imports every entry point, runs the binary, type-checks a consumer, and asserts that
// the pure entry points load neither a native addon nor a socket; then see check-testing.mjs. Needs a
// finished `npm run build`.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { checkTesting } from './check-testing.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const entryPoints = Object.keys(manifest.exports).filter((name) => !name.endsWith('.json'));

/** Specifier of an entry point: `./raft` -> `kontiki/raft`. */
const specifierOf = (entryPoint) => manifest.name + entryPoint.slice(1);

/** Entry points that import a package which the user installs beside this one. */
const needsPeer = (entryPoint) => entryPoint.endsWith('/fast-check');

/** Top-level names that may be in the tarball. */
const packedNames = /^(dist\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$|SECURITY\.md$)/;

/** What a user's bundler makes of an entry point, minified and gzipped, in bytes. */
const bundleBytesMax = { [`${manifest.name}/raft`]: 16_000 };

/** A strict program that uses every entry point by its types. */
const consumer = `
import { openStore } from 'kontiki';
${entryPoints.map((name, at) => `import * as entry${at} from '${specifierOf(name)}';`).join('\n')}

const store = await openStore({ name: 'solo' });
const written = await store.put('greeting', 'hello', { timeoutMs: 1_000 });
const revision: number = written.revision;
const found = await store.get('greeting');
const text: string | undefined = found?.text();
// Declarations are emitted for these: a type that no entry point names would not compile (TS2742).
export const lease = await store.lease(10);
export const facts = {
  leases: await store.leases(),
  left: await lease.timeToLive(),
  scan: store.scan({ prefix: '' }),
  hashes: store.stateHashes(),
  metrics: store.metrics(),
  revoked: await lease.revoke(),
};
// @ts-expect-error A revision is a number: were the types lost, this would compile.
const wrong: string = written.revision;
await store.close();

export const used: readonly object[] = [${entryPoints.map((_, at) => `entry${at}`).join(', ')}];
export const seen: readonly unknown[] = [revision, text, wrong];
`;

const consumerConfig = {
  compilerOptions: {
    strict: true,
    declaration: true,
    exactOptionalPropertyTypes: true,
    target: 'ES2022',
    lib: ['ES2023'],
    module: 'NodeNext',
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
    skipLibCheck: false,
    noEmit: true,
  },
  files: ['consumer.ts'],
};

/** Prints, as JSON, which heavy parts a module brought along. Written to fd 1: stdout itself loads net. */
const probe = `
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
const names = Object.keys(await import(process.argv[1]));
const files = Object.keys(createRequire(import.meta.url).cache);
const addons = process.report.getReport().sharedObjects.filter((file) => file.endsWith('.node'));
const answer = {
  names: names.length,
  level: files.some((file) => file.includes('classic-level')) || addons.length > 0,
  net: process.moduleLoadList.some((name) => /^NativeModule (net|tls|http2?)$/.test(name)),
};
writeSync(1, JSON.stringify(answer));
`;

const project = mkdtempSync(join(tmpdir(), 'kontiki-pack-'));
try {
  const tarball = pack();
  install(tarball);
  for (const entryPoint of entryPoints.filter((name) => !needsPeer(name))) checkImport(entryPoint);
  checkWeights();
  checkSizes();
  checkBinary();
  installBeside('fast-check', 'vitest');
  for (const entryPoint of entryPoints.filter(needsPeer)) checkImport(entryPoint);
  checkTypes();
  checkTesting(project, run);
} finally {
  rmSync(project, { recursive: true, force: true });
}

function run(command, args, cwd = project) {
  try {
    return execFileSync(command, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    console.error(`${error.stdout ?? ''}${error.stderr ?? ''}`);
    throw new Error(`pack check: ${command} ${args[0]} failed`, { cause: error });
  }
}

function pack() {
  assert(existsSync(join(root, 'dist', 'index.js')), 'pack check: run `npm run build` first');
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', project];
  const [packed] = JSON.parse(run('npm', args, root));
  const paths = packed.files.map((file) => file.path);
  const strangers = paths.filter((path) => !packedNames.test(path));
  assert.deepEqual(strangers, [], 'pack check: files that do not belong in the package');
  const targets = Object.values(manifest.exports).flatMap((target) => Object.values(target));
  for (const target of [...targets.filter((text) => text.length > 1), manifest.bin.kontiki]) {
    assert(paths.includes(target.slice(2)), `pack check: ${target} is not in the package`);
  }
  for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md']) {
    assert(paths.includes(name), `pack check: ${name} is not in the package`);
  }
  console.log(`packed ${paths.length} files, ${Math.round(packed.size / 1024)} KiB`);
  return join(project, packed.filename);
}

function install(tarball) {
  const manifestText = JSON.stringify({ name: 'consumer', private: true, type: 'module' });
  writeFileSync(join(project, 'package.json'), manifestText);
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball]);
  const major = process.versions.node;
  console.log(`installed without install scripts on Node ${major}`);
}

/** What users of `kontiki/testing` have, in the versions that this repository tests with. */
function installBeside(...names) {
  const packages = names.map((name) => `${name}@${manifest.devDependencies[name]}`);
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...packages]);
  console.log(`installed beside it: ${packages.join(', ')}`);
}

function load(specifier) {
  return JSON.parse(run(process.execPath, ['--input-type=module', '-e', probe, specifier]));
}

function checkImport(entryPoint) {
  const specifier = specifierOf(entryPoint);
  const { names } = load(specifier);
  assert(names > 0, `pack check: ${specifier} exports nothing`);
  console.log(`imported ${specifier}: ${names} names`);
}

/** The last two rows show that the probe does see what the first ones must not load. */
function checkWeights() {
  const none = { level: false, net: false };
  const expected = {
    [`${manifest.name}/raft`]: none,
    [`${manifest.name}/mvcc`]: none,
    [`${manifest.name}/concurrency`]: none,
    'classic-level': { level: true, net: false },
    'node:net': { level: false, net: true },
  };
  for (const [specifier, weights] of Object.entries(expected)) {
    const { level, net } = load(specifier);
    assert.deepEqual({ level, net }, weights, `pack check: what ${specifier} loads`);
  }
  console.log('raft, mvcc and concurrency load no native addon and no socket');
}

function checkSizes() {
  // The bundler that builds the package is there anyway.
  const { buildSync } = createRequire(createRequire(import.meta.url).resolve('tsup'))('esbuild');
  for (const [specifier, max] of Object.entries(bundleBytesMax)) {
    const stdin = { contents: `export * from '${specifier}';`, resolveDir: project };
    const { outputFiles, metafile } = buildSync({
      stdin,
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
      metafile: true,
    });
    const inputs = Object.keys(metafile.inputs).filter((path) => path !== '<stdin>');
    const strangers = inputs.filter(
      (path) => !path.includes(`node_modules/${manifest.name}/dist/`),
    );
    assert.deepEqual(strangers, [], `pack check: what ${specifier} brings along`);
    const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
    assert(bytes <= max, `pack check: ${specifier} takes ${bytes} bytes gzipped, at most ${max}`);
    console.log(`${specifier} bundled, minified, gzipped: ${bytes} bytes`);
  }
}

function checkBinary() {
  const binary = join(project, 'node_modules', '.bin', 'kontiki');
  const answer = run(binary, ['--version']).trim();
  assert(answer.split(/\s+/).includes(manifest.version), `pack check: --version says ${answer}`);
  console.log(`kontiki --version: ${answer}`);
}

function checkTypes() {
  writeFileSync(join(project, 'consumer.ts'), consumer);
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(consumerConfig));
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  run(process.execPath, [compiler, '-p', project]);
  console.log('a strict consumer of every entry point type-checks');
}
