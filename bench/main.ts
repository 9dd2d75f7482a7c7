/**
 * Runs benchmarks by name:
 *
 *     npm run bench -- [NAME ...] [--seconds N] [--dir FOLDER] [--json FILE] [--full]
 *
 * Without a name it runs `cluster`. `--dir` chooses the disk (default: the temporary folder),
 * `--json` appends each figure as a line of JSON, `--full` allows sizes that take minutes.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { extname } from 'node:path';
import { parseArgs } from 'node:util';
import type { Benchmark, Figure } from './benchmark.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '5' },
    dir: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
    full: { type: 'boolean', default: false },
  },
});

async function find(name: string): Promise<Benchmark> {
  const ending = extname(import.meta.url);
  const paths = [`./${name}/main${ending}`, `./${name}${ending}`];
  const path = paths.find((candidate) => existsSync(new URL(candidate, import.meta.url)));
  if (path === undefined) throw new Error(`expected bench/${name}.ts or bench/${name}/main.ts`);
  const module = (await import(path)) as { readonly run?: Benchmark };
  if (module.run === undefined) throw new Error(`expected ${path} to export run`);
  return module.run;
}

const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new Error(`expected --seconds to be above 0, got ${values.seconds}`);
const names = positionals.length > 0 ? positionals : ['cluster'];
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const machine = { node: process.version, cores: availableParallelism() };
console.log(`node ${machine.node}, ${machine.cores} cores, ${seconds} s per measurement`);
for (const name of names) {
  const run = await find(name);
  console.log(`\n== ${name}`);
  const record = (figure: Figure): void => {
    if (values.json === undefined) return;
    appendFileSync(values.json, `${JSON.stringify({ benchmark: name, ...figure, ...machine })}\n`);
  };
  await run({ seconds, folder: values.dir, record, full: values.full });
}
