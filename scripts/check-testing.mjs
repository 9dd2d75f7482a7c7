// Part of the pack check: `kontiki/testing` in a project that installed the packed package. A test of
// a few lines under vitest and under node:test, and a bundle for browsers, which also runs in the
// Chromium that the environment variable KONTIKI_CHROMIUM names, if it does.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const vitestFile = `
import { expect, test } from 'vitest';
import { simulate } from 'kontiki/testing';

test('a store under faults holds', async () => {
  const run = await simulate({ seed: 42, duration: '2s', members: 3 });
  run.assert();
  expect(run.figures['calls.ok']).toBeGreaterThan(0);
});
`;

/** A machine of one's own, found to be wrong, in the other runner. */
const nodeTestFile = `
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from 'kontiki/testing';

const text = (bytes) => new TextDecoder().decode(bytes);
let forgets = false;
const machine = {
  create: () => {
    let sum = 0;
    return {
      apply: (command) => (sum += JSON.parse(text(command))),
      snapshot: () => new TextEncoder().encode(String(forgets ? 0 : sum)),
      restore: (bytes) => (sum = Number(text(bytes))),
    };
  },
  draw: (random) => random.u32() % 10,
  model: {
    initial: () => 0,
    execute: (state, input) => ({ state: state + input, answer: state + input }),
  },
};
const options = { seed: 7, machine, members: 1, duration: '6s', faults: ['crash', 'power-cut'] };

test('a machine that is right holds', async () => {
  for (let seed = 1; seed <= 3; seed += 1) (await simulate({ ...options, seed })).assert();
});

test('one that forgets is found', async () => {
  forgets = true;
  const ids = [];
  for (let seed = 1; seed <= 6; seed += 1) {
    ids.push((await simulate({ ...options, seed })).violation?.id);
  }
  assert(ids.some((id) => id !== undefined), ids.join());
});
`;

const pageRun = `
import { simulate } from 'kontiki/testing';
const run = await simulate({ seed: 42, duration: '2s', members: 3 });
document.body.textContent = run.violation?.id ?? 'the run held, trace ' + run.traceHash;
`;

/**
 * @param project - folder of the project, with the package, vitest and fast-check installed
 * @param run - runs a command there and gives what it printed; throws when it fails
 */
export function checkTesting(project, run) {
  writeFileSync(join(project, 'few-lines.test.js'), vitestFile);
  run(join(project, 'node_modules', '.bin', 'vitest'), ['run', 'few-lines.test.js']);
  writeFileSync(join(project, 'own-machine.mjs'), nodeTestFile);
  run(process.execPath, ['--test', 'own-machine.mjs']);
  console.log('kontiki/testing: a test each under vitest and node:test passed');
  checkBrowserBundle(project, run);
}

function checkBrowserBundle(project, run) {
  // The bundler that builds the package is there anyway.
  const { buildSync } = createRequire(createRequire(import.meta.url).resolve('tsup'))('esbuild');
  const { metafile, outputFiles } = buildSync({
    stdin: { contents: pageRun, resolveDir: project },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    minify: true,
    write: false,
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs);
  const strangers = inputs.filter((path) => /node:|classic-level|msgpackr-extract/.test(path));
  assert.deepEqual(strangers, [], 'pack check: what the bundle for browsers brings along');
  const [{ contents, text }] = outputFiles;
  console.log(`kontiki/testing bundled for browsers, minified: ${contents.length >> 10} KiB`);
  const chromium = process.env.KONTIKI_CHROMIUM;
  if (chromium === undefined) return;
  const page = join(project, 'page.html');
  writeFileSync(page, `<!doctype html><body></body><script type="module">${text}</script>`);
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=60000'];
  const shown = run(chromium, [...flags, '--dump-dom', `file://${page}`]);
  assert(/the run held/.test(shown), `pack check: the page shows ${shown}`);
  console.log('the page ran a simulation in Chromium');
}
