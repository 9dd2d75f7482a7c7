/**
 * Three processes of which one leads: the leader is killed, then its successor resigns, and the jobs go
 * on without a gap and without two leaders at once. `npm run example:leader-election`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freeAddresses } from '../failover/free-ports.js';
import type { Job, Notice, Order } from './messages.js';

const program = fileURLToPath(new URL('./member.ts', import.meta.url));
const names = ['n1', 'n2', 'n3'];
/** Jobs that each leader does before it has to go. */
const jobsEach = 20;

/** What came of a run. */
export interface Outcome {
  /** Who led, one after the other, with their tokens. */
  readonly leaders: readonly { readonly name: string; readonly token: number }[];
  /** Jobs as a member saw them that was there all the time. */
  readonly jobs: readonly Job[];
}

class Service {
  readonly leaders: { readonly name: string; readonly token: number }[] = [];
  readonly #jobs = new Map<string, Job[]>();
  readonly #children = new Map<string, ChildProcess>();
  readonly #news = new EventEmitter();
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  async start(name: string, options: object): Promise<void> {
    const execArgv = ['--import', import.meta.resolve('tsx')];
    const child = fork(program, [JSON.stringify({ name, ...options })], { execArgv });
    this.#children.set(name, child);
    this.#jobs.set(name, []);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`${name} ended before it was open`)));
      child.on('message', (notice: Notice) => {
        if (notice.kind === 'open') resolve();
        else this.#take(name, notice);
      });
    });
  }

  /** Whoever leads, once it has done its jobs, and is another one than before. */
  async nextLeader(before = ''): Promise<string> {
    for (;;) {
      const leader = this.leaders.at(-1);
      const done = this.jobs.filter(({ token }) => token === leader?.token);
      if (leader !== undefined && leader.name !== before && done.length >= jobsEach) {
        return leader.name;
      }
      await once(this.#news, 'news');
    }
  }

  /** Jobs as one saw them that still runs. */
  get jobs(): readonly Job[] {
    const [running = ''] = this.#children.keys();
    return this.#jobs.get(running) ?? [];
  }

  tell(name: string, order: Order): void {
    this.#children.get(name)?.send(order);
  }

  async kill(name: string): Promise<void> {
    await this.#end(name);
    this.#say(`${name} was killed`);
  }

  async killAll(): Promise<void> {
    await Promise.all([...this.#children.keys()].map((name) => this.#end(name)));
  }

  async #end(name: string): Promise<void> {
    const child = this.#children.get(name) as ChildProcess;
    this.#children.delete(name);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  #take(name: string, notice: Exclude<Notice, { readonly kind: 'open' }>): void {
    if (notice.kind === 'leads') {
      this.leaders.push({ name, token: notice.token });
      this.#say(`${name} leads, with token ${notice.token}`);
    } else if (notice.kind === 'lost') this.#say(`${name} leads no more: ${notice.reason}`);
    else this.#jobs.get(name)?.push(notice.job);
    this.#news.emit('news');
  }
}

/**
 * Runs the demo.
 *
 * @param say - told what happens, line by line
 */
export async function run(say: (line: string) => void): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'kontiki-leader-election-'));
  const service = new Service(say);
  try {
    const addresses = await freeAddresses(names.length);
    const cluster = Object.fromEntries(names.map((name, at) => [name, addresses[at]]));
    const start = (name: string) => service.start(name, { dir: join(folder, name), cluster });
    await Promise.all(names.map(start));
    const first = await service.nextLeader();
    await service.kill(first);
    const second = await service.nextLeader(first);
    service.tell(second, 'resign');
    await service.nextLeader(second);
    return { leaders: service.leaders, jobs: service.jobs };
  } finally {
    await service.killAll();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * What is wrong with a run, in words; empty when jobs are numbered without a gap and every token is as
 * great as the one before, or greater: then nobody worked in another one's time.
 */
export function faultsOf({ jobs }: Outcome): readonly string[] {
  const faults: string[] = [];
  jobs.forEach((job, at) => {
    const before = jobs[at - 1];
    if (before === undefined) return;
    if (job.number !== before.number + 1) faults.push(`job ${job.number} after ${before.number}`);
    if (job.token < before.token) faults.push(`token ${job.token} after ${before.token}`);
  });
  return faults;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outcome = await run((line) => console.log(line));
  const faults = faultsOf(outcome);
  for (const fault of faults) console.error(`FAULT: ${fault}`);
  console.log(`${outcome.jobs.length} jobs, ${outcome.leaders.length} leaders`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
