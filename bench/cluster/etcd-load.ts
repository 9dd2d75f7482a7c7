/**
 * The same load through etcd's own Go client, by a program that takes
 * `-endpoints -op -clients -conns -total -size -keys` and prints
 * `... 12345 ops/s p50=1.23ms p99=4.56ms`. The environment variable `ETCD_LOAD` names it; without, it is
 * built from `../shared/tools/etcd-load`, where that and `go` exist, and kept for the next time.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LoadResult, LoadShape } from './closed-loop.js';

const output = /errs=(\d+) ([\d.]+) ops\/s p50=([\d.]+)ms p99=([\d.]+)ms/;
const operations = { put: 'put', get: 'get', 'serializable get': 'sget' } as const;
const root = process.cwd();
const sources = join(root, '../shared/tools/etcd-load');
const built = join(root, 'node_modules', '.cache', 'etcd-load');

const run = promisify(execFile);

/** Path of the program, or why there is none. */
export async function findEtcdLoad(): Promise<{ path: string } | { missing: string }> {
  const named = process.env.ETCD_LOAD;
  if (named !== undefined) return { path: named };
  if (existsSync(built)) return { path: built };
  if (!existsSync(sources)) return { missing: 'needs ETCD_LOAD or ../shared/tools/etcd-load' };
  try {
    await buildFromSources();
    return { path: built };
  } catch (error) {
    return { missing: `could not build ${sources}: ${(error as Error).message.split('\n')[0]}` };
  }
}

async function buildFromSources(): Promise<void> {
  console.log("building a load generator on etcd's Go client: a minute, once");
  const cwd = await mkdtemp(join(tmpdir(), 'etcd-load-'));
  try {
    await cp(sources, cwd, { recursive: true });
    for (const args of [
      ['mod', 'init', 'etcdload'],
      ['mod', 'tidy'],
      ['build', '-o', built],
    ]) {
      await run('go', args, { cwd });
    }
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

/** Puts etcd under load; a cluster has one of its own. */
export class EtcdLoad {
  readonly #program: string;
  readonly #endpoint: string;
  /** By shape: the rate of the last run, which tells the count that fills the time of the next. */
  readonly #rates = new Map<string, number>();

  /** @param endpoint - `http://host:port` */
  constructor(program: string, endpoint: string) {
    this.#program = program;
    this.#endpoint = endpoint;
  }

  async run(shape: LoadShape): Promise<LoadResult> {
    const { callers, operation } = shape;
    const name = `${operation} ${callers}`;
    const rate = this.#rates.get(name) ?? (callers === 1 ? 1_000 : 8_000);
    const settings = {
      endpoints: this.#endpoint.replace('http://', ''),
      op: operations[operation],
      clients: callers,
      conns: Math.ceil(callers / 10),
      total: Math.ceil((rate * shape.measureMs) / 1_000),
      size: 256,
      keys: 10_000,
    };
    const args = Object.entries(settings).flatMap(([key, value]) => [`-${key}`, `${value}`]);
    const { stdout } = await run(this.#program, args);
    const match = output.exec(stdout);
    if (match === null) throw new Error(`expected figures from ${this.#program}, got ${stdout}`);
    const [errors = 0, perSecond = 0, p50Ms = 0, p99Ms = 0] = match.slice(1).map(Number);
    if (errors > 0) throw new Error(`etcd: ${errors} of ${settings.total} calls failed`);
    this.#rates.set(name, perSecond);
    return { perSecond, p50Ms, p99Ms };
  }
}
