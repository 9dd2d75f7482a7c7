/**
 * A member's process, seen from its parent.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MemberOptions, MemberRequest } from './member.js';

const ending = extname(import.meta.url);
const program = fileURLToPath(new URL(`./member${ending}`, import.meta.url));
const execArgv = ending === '.ts' ? ['--import', import.meta.resolve('tsx')] : [];

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string | undefined;
}

interface Waiter {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

export class KontikiMember {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #waiters = new Map<number, Waiter>();
  #asked = 0;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    child.on('message', (answer: Answer) => this.#onAnswer(answer));
    child.once('exit', (code) => {
      const error = new Error(`member ${name} ended with status ${code}`);
      for (const { reject } of this.#waiters.values()) reject(error);
      this.#waiters.clear();
    });
  }

  static async start(options: MemberOptions): Promise<KontikiMember> {
    const child = fork(program, [JSON.stringify(options)], { execArgv });
    const { name = '' } = options;
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`member ${name} ended with status ${code}`);
    });
    // It says that it is open.
    await Promise.race([once(child, 'message'), exited]);
    exited.catch(() => undefined);
    return new KontikiMember(name, child);
  }

  ask<T>(request: MemberRequest): Promise<T> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise<T>((resolve, reject) => {
      this.#waiters.set(id, { resolve, reject });
      this.#child.send({ id, request });
    });
  }

  #onAnswer({ id, value, error }: Answer): void {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    if (error === undefined) waiter?.resolve(value as never);
    else waiter?.reject(new Error(error));
  }

  /** Its process dies here and now. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}
