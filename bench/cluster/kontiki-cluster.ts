/**
 * Three durable kontiki members, a process each.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadResult, LoadShape } from './closed-loop.js';
import { freePorts } from './free-ports.js';
import type { MemberRequest } from './member.js';

const program = fileURLToPath(new URL('./member.ts', import.meta.url));
const names = ['n1', 'n2', 'n3'];

export class KontikiCluster {
  readonly #members: ReadonlyMap<string, ChildProcess>;

  private constructor(members: ReadonlyMap<string, ChildProcess>) {
    this.#members = members;
  }

  /** @param folder - where the data directories go */
  static async start(folder: string): Promise<KontikiCluster> {
    const ports = await freePorts(names.length);
    const cluster = Object.fromEntries(names.map((name, at) => [name, `127.0.0.1:${ports[at]}`]));
    const members = names.map((name): [string, ChildProcess] => {
      const options = JSON.stringify({ name, dir: join(folder, name), cluster });
      const execArgv = ['--import', import.meta.resolve('tsx')];
      return [name, fork(program, [options], { execArgv })];
    });
    const started = new KontikiCluster(new Map(members));
    try {
      await Promise.all(members.map(([, child]) => nextMessage(child)));
      return started;
    } catch (error) {
      await started.stop();
      throw error;
    }
  }

  /** Runs the load inside the process of the leader. */
  async run(shape: LoadShape, options: { readonly busyPool?: boolean } = {}): Promise<LoadResult> {
    const [first] = this.#members.values();
    const leader = await ask<string>(first as ChildProcess, {});
    return ask<LoadResult>(this.#members.get(leader) as ChildProcess, { shape, ...options });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#members.values()].map(kill));
  }
}

async function ask<T>(child: ChildProcess, request: MemberRequest): Promise<T> {
  const answer = nextMessage(child);
  child.send(request);
  return (await answer) as T;
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const settled = new AbortController();
  const { signal } = settled;
  const exited = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`a member ended with status ${code}`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal }), exited])) as [
      unknown,
    ];
    return message;
  } finally {
    exited.catch(() => undefined);
    settled.abort();
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  process.kill(child.pid as number, 'SIGKILL');
  await exited;
}
