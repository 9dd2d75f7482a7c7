/**
 * `npm run bench`, `npm run soak`: runs a program of this repository compiled as a release is.
 *
 *     node scripts/compiled.mjs bench/main.ts ...      its arguments behind it
 *
 * A loader that compiles while it runs gives every function its name again each time it is made, which
 * takes a keyspace 7 % of its time, and a simulation a tenth.
 */
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { build } from 'tsup';

const [program, ...rest] = process.argv.slice(2);
// A folder for each: a bench beside a soak takes nothing away from it.
const outDir = `reports/compiled/${dirname(program).replaceAll('/', '-')}`;

await build({
  // Of the tests only what can be run: `bench/failover` starts members of the real faults.
  entry: [
    'src/**/*.ts',
    'bench/**/*.ts',
    'test/real-faults/*.ts',
    'test/sim/soak*.ts',
    '!test/**/*.test.ts',
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
const compiled = `${outDir}/${program.replace(/\.ts$/, '.js')}`;
const { status } = spawnSync(process.execPath, [compiled, ...rest], { stdio: 'inherit' });
process.exitCode = status ?? 1;
