/**
 * The same load through etcd's own Go client, when somebody has built a generator for it: the
 * environment variable `ETCD_LOAD` names a program that takes
 * `-endpoints -op -clients -conns -total -size -keys` and prints
 * `... 12345 ops/s p50=1.23ms p99=4.56ms`.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { LoadResult, LoadShape } from './closed-loop.js';

const output = /([\d.]+) ops\/s p50=([\d.]+)ms p99=([\d.]+)ms/;
/** Rough rate of etcd per second, to turn a duration into the count the program wants. */
const ratePerSecond = { one: 3_000, many: 15_000 };

export const etcdLoadProgram: string | undefined = process.env.ETCD_LOAD;

export async function runEtcdLoad(
  program: string,
  endpoint: string,
  shape: LoadShape,
): Promise<LoadResult> {
  const rate = shape.callers === 1 ? ratePerSecond.one : ratePerSecond.many;
  const settings = {
    endpoints: endpoint.replace('http://', ''),
    op: shape.operation,
    clients: shape.callers,
    conns: Math.ceil(shape.callers / 10),
    total: Math.ceil((rate * shape.measureMs) / 1_000),
    size: 256,
    keys: 10_000,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`-${name}`, `${value}`]);
  const { stdout } = await promisify(execFile)(program, args);
  const match = output.exec(stdout);
  if (match === null) throw new Error(`expected figures from ${program}, got ${stdout}`);
  const [perSecond = 0, p50Ms = 0, p99Ms = 0] = match.slice(1).map(Number);
  return { perSecond, p50Ms, p99Ms };
}
