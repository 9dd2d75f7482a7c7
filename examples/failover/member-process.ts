/**
 * A member's process as its parent sees it: started, asked, killed, started again.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { StoreOptions } from '../../src/index.js';
import type { CallName, Calls, Reply, Request } from './protocol.js';

const program = fileURLToPath(new URL('./member.ts', import.meta.url));

/** What `ask` rejects with when the process was killed before it answered. */
export class MemberGone extends Error {
  override readonly name = 'MemberGone';
}

type OnServing = (leader: string, atMs: number) => void;

interface PendingCall {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

export class MemberProcess {
  readonly name: string;
  /** Resolves when its store is open; rejects when the process ends before. */
  readonly opened: Promise<void>;
  readonly #child: ChildProcess;
  readonly #calls = new Map<number, PendingCall>();
  readonly #onServing: OnServing;
  #opening: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  #callCount = 0;
  #gone: Error | undefined;
  #killed = false;

  /**
   * Starts a member.
   *
   * @param options - of its `openStore`
   * @param onServing - called at its first acknowledged put under a new leader
   */
  constructor(options: StoreOptions & { readonly name: string }, onServing: OnServing) {
    this.name = options.name;
    this.#onServing = onServing;
    // The loader is named by its address, so that it is found from any working directory.
    const execArgv = ['--import', import.meta.resolve('tsx')];
    this.#child = fork(program, [JSON.stringify(options)], { execArgv });
    this.opened = new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
    this.#child.on('message', (reply: Reply) => this.#onReply(reply));
    this.#child.on('exit', (code, signal) => this.#onExit(code, signal));
  }

  /** Whether the process has ended. */
  get gone(): boolean {
    return this.#gone !== undefined;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * @throws {MemberGone} when the process was killed first; {Error} when it ended by itself
   */
  ask<N extends CallName>(
    name: N,
    ...[argument]: Calls[N]['argument'] extends null ? [] : [Calls[N]['argument']]
  ): Promise<Calls[N]['answer']> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) {
        reject(this.#gone);
        return;
      }
      this.#callCount += 1;
      const request: Request = { id: this.#callCount, name, argument };
      this.#calls.set(request.id, { resolve, reject });
      // A channel that breaks while sending is followed by the exit, which settles the call.
      this.#child.send(request, () => undefined);
    });
  }

  /** Ends the process at once, as a power cut would. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.#gone !== undefined) return;
    this.#killed = true;
    const exited = once(this.#child, 'exit');
    process.kill(this.#child.pid as number, 'SIGKILL');
    await exited;
  }

  /** Closes the store and waits for the end of the process. */
  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    await this.ask('close');
    await exited;
  }

  #onReply(reply: Reply): void {
    if ('notice' in reply) {
      if (reply.notice === 'open') this.#opening?.resolve();
      else this.#onServing(reply.leader, reply.atMs);
      return;
    }
    const call = this.#calls.get(reply.id);
    this.#calls.delete(reply.id);
    if ('error' in reply) call?.reject(new Error(`${this.name}: ${reply.error}`));
    else call?.resolve(reply.answer as never);
  }

  #onExit(code: number | null, signal: string | null): void {
    const message = `${this.name} ended with ${signal ?? `status ${code}`}`;
    const error = this.#killed ? new MemberGone(message) : new Error(message);
    this.#gone = error;
    this.#opening?.reject(error);
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
  }
}
