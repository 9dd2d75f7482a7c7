/** A member's process as the run sees it: started, asked, stopped, killed, started again. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MemberStatus } from '../../src/node/index.js';
import type {
  Change,
  DiskState,
  MemberOptions,
  MemberPlace,
  MembersCall,
  Notice,
  Request,
  StatusReport,
} from './protocol.js';

const ending = extname(import.meta.url);
const program = fileURLToPath(new URL(`./member-child${ending}`, import.meta.url));
/** Compiled already for a benchmark. */
const execArgv = ending === '.ts' ? ['--import', import.meta.resolve('tsx')] : [];

/** Told of everything that a member says by itself. */
export type OnNotice = (member: string, notice: Notice) => void;

export class MemberProcess {
  readonly name: string;
  #options: Omit<MemberOptions, 'life' | 'fromRevision'>;
  readonly #onNotice: OnNotice;
  readonly #asked = new Map<number, (answer: Notice | undefined) => void>();
  /** Everything its watches showed, over all its lives. */
  readonly changes: Change[] = [];
  #child: ChildProcess | undefined;
  #opened: ((how: 'open' | string) => void) | undefined;
  #lives = 0;
  #questions = 0;

  constructor(options: Omit<MemberOptions, 'life' | 'fromRevision'>, onNotice: OnNotice) {
    this.name = options.name;
    this.#options = options;
    this.#onNotice = onNotice;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get dir(): string {
    return this.#options.dir;
  }

  /** Is opened like that from its next start on. */
  moveTo(place: Partial<MemberPlace>): void {
    this.#options = { ...this.#options, ...place };
  }

  /**
   * Starts it, or starts it again.
   *
   * @returns `'open'`, or the code it was refused with
   */
  async start(): Promise<string> {
    // One that was refused says so before it ends, and its end would be taken for that of the next life.
    await this.ended();
    this.#lives += 1;
    const fromRevision = (this.changes.at(-1)?.revision ?? 0) + 1;
    const options: MemberOptions = { ...this.#options, life: this.#lives, fromRevision };
    const child = fork(program, [JSON.stringify(options)], { execArgv });
    this.#child = child;
    const opened = new Promise<string>((resolve) => {
      this.#opened = resolve;
    });
    child.on('message', (notice: Notice) => this.#onMessage(notice));
    child.on('exit', (code, signal) => this.#onExit(child, `${signal ?? code}`));
    return opened;
  }

  load(on: boolean): void {
    this.#send({ do: 'load', on });
  }

  disk(state: DiskState): void {
    this.#send({ do: 'disk', state });
  }

  /** `undefined` when it cannot serve a linearizable read now, or is not there. */
  async status(): Promise<StatusReport | undefined> {
    const answer = await this.#ask((id) => ({ do: 'status', id }));
    return answer?.tell === 'status' ? answer.report : undefined;
  }

  async contents(): Promise<ReadonlyMap<string, string> | undefined> {
    const answer = await this.#ask((id) => ({ do: 'contents', id }));
    return answer?.tell === 'contents' ? new Map(answer.contents) : undefined;
  }

  /**
   * Asks for a change of the members, or for none.
   *
   * @returns the members after it, or the code that it was refused with
   */
  async members(call: MembersCall = { op: 'list' }): Promise<readonly MemberStatus[] | string> {
    const answer = await this.#ask((id) => ({ do: 'members', id, call }));
    if (answer?.tell !== 'members') return 'it ended';
    return answer.members ?? String(answer.code);
  }

  /** @returns the revision of the backup that is at `path` now */
  async backup(path: string): Promise<number> {
    const answer = await this.#ask((id) => ({ do: 'backup', id, path }));
    if (answer?.tell !== 'backup') throw new Error(`${this.name} made no backup`);
    return answer.revision;
  }

  /** `SIGSTOP` and `SIGCONT`. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    const pid = this.#child?.pid;
    if (pid !== undefined) process.kill(pid, signal);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** @param isGentle - its clients get all their answers before */
  async close(isGentle = false): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    this.#send({ do: 'close', isGentle });
    await exited;
  }

  /** Resolves once the process has ended by itself. */
  async ended(): Promise<void> {
    if (this.#child !== undefined) await once(this.#child, 'exit');
  }

  #onMessage(notice: Notice): void {
    if (notice.tell === 'open') this.#settleOpen('open');
    else if (notice.tell === 'refused') this.#settleOpen(notice.code);
    else if ('id' in notice) {
      this.#asked.get(notice.id)?.(notice);
      this.#asked.delete(notice.id);
    } else {
      if (notice.tell === 'changes') this.changes.push(...notice.changes);
      this.#onNotice(this.name, notice);
    }
  }

  #onExit(child: ChildProcess, how: string): void {
    if (this.#child === child) this.#child = undefined;
    this.#settleOpen(`it ended with ${how}`);
    for (const answer of this.#asked.values()) answer(undefined);
    this.#asked.clear();
  }

  #settleOpen(how: string): void {
    this.#opened?.(how);
    this.#opened = undefined;
  }

  #ask(request: (id: number) => Request): Promise<Notice | undefined> {
    this.#questions += 1;
    const id = this.#questions;
    return new Promise((resolve) => {
      if (this.#child === undefined) return resolve(undefined);
      this.#asked.set(id, resolve);
      this.#send(request(id));
    });
  }

  #send(request: Request): void {
    // A channel that breaks while sending is followed by the exit.
    if (this.#child?.connected === true) this.#child.send(request, () => undefined);
  }
}
