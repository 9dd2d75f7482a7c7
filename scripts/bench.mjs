/**
 * `npm run bench`: runs `bench/main.ts` compiled as a release is. A loader that compiles while it runs
 * gives every function its name again each time it is made, which takes a keyspace 7 % of its time.
 */
import { spawnSync } from 'node:child_process';
import { build } from 'tsup';

const outDir = 'reports/bench';

await build({
  // Of the tests only what `bench/failover` starts.
  entry: [
    'src/**/*.ts',
    'bench/**/*.ts',
    'test/real-faults/*.ts',
    '!test/real-faults/*.test.ts',
    'examples/failover/free-ports.ts',
  ],
  outDir,
  bundle: false,
  clean: true,
  config: false,
  format: 'esm',
  silent: true,
  target: 'node20.19',
});
const args = [`${outDir}/bench/main.js`, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
process.exitCode = status ?? 1;
