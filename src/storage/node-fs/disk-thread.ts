/**
 * Writes and syncs on a thread of their own. Node runs file calls on a pool of four threads that the
 * whole process shares, where an `fdatasync` waits behind whatever the host does there: with eight
 * `pbkdf2` calls under way a put took 450 ms in place of 3 (docs/adr/0017-disk-thread.md).
 *
 * The thread makes one blocking call after the other, in the order they were asked for. It starts with
 * the first one, and keeps no process alive that waits for nothing.
 */
import { closeSync } from 'node:fs';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { assert } from '../../base/assert.js';
import { concatBytes } from '../../base/bytes.js';
import type { FileCalls, OnDone, WritePlace } from './file.js';

/**
 * Runs in the thread. Text, because a module of its own would have to be found by its name: in the
 * sources, in the package, and in what a user's bundler makes of it.
 */
const program = `
const { fdatasyncSync, writeSync } = require('node:fs');
const { parentPort } = require('node:worker_threads');
const calls = {
  write: ({ fd, bytes, position }) => writeSync(fd, bytes, 0, bytes.length, position),
  sync: ({ fd }) => fdatasyncSync(fd),
  pass: () => 0,
};
const answerTo = (request) => {
  try {
    return { result: calls[request.call](request) ?? 0 };
  } catch ({ code, message }) {
    return { code, message };
  }
};
parentPort.on('message', (request) => {
  const answer = answerTo(request);
  const isWhole = answer.result === request.bytes?.length;
  if (request.thenSync && isWhole) answer.synced = answerTo({ call: 'sync', fd: request.fd });
  parentPort.postMessage(answer);
});
`;

type Request =
  | {
      readonly call: 'write';
      readonly fd: number;
      readonly bytes: Uint8Array;
      readonly position: number;
      readonly thenSync: boolean;
    }
  | { readonly call: 'sync' | 'pass'; readonly fd: number };

interface Answer {
  /** Absent: the call failed. */
  readonly result?: number;
  readonly code?: string;
  readonly message?: string;
  /** Of the sync that followed a write. */
  readonly synced?: Answer;
}

/**
 * The thread, started when it is first needed.
 *
 * @since 0.1.0
 */
export class DiskThread implements FileCalls {
  readonly #create: (program: string, options: WorkerOptions) => Worker;
  #worker: Worker | undefined;
  /** In the order of the calls, which is that of the answers. */
  #waiting: OnDone[] = [];

  /** @param create - makes a thread of Node; default: the platform */
  constructor(create = (text: string, options: WorkerOptions) => new Worker(text, options)) {
    this.#create = create;
  }

  /** The chunks may be changed as soon as this returns. A sync follows only what was written whole. */
  write(
    fd: number,
    chunks: readonly Uint8Array[],
    { position, thenSync }: WritePlace,
    onDone: OnDone,
  ): void {
    // A copy that is handed over: a view would take all of the memory it is a view of along.
    const bytes = concatBytes(chunks);
    const request = { call: 'write', fd, bytes, position, thenSync } as const;
    this.#ask(request, onDone, [bytes.buffer as ArrayBuffer]);
  }

  sync(fd: number, onDone: OnDone): void {
    this.#ask({ call: 'sync', fd }, onDone);
  }

  /**
   * Behind all that was asked before, and in the thread that opened it: a worker thread of Node closes by number
   * what it has opened when it ends, unless it was that thread which closed it, and by then the number may be
   * somebody else's file. Without a thread nothing was asked before.
   */
  close(fd: number, onDone: OnDone): void {
    this.#ask({ call: 'pass', fd }, () => {
      try {
        closeSync(fd);
      } catch (error) {
        return onDone(error as Error);
      }
      onDone(null, 0);
    });
  }

  #ask(request: Request, onDone: OnDone, handedOver: ArrayBuffer[] = []): void {
    try {
      this.#worker ??= this.#start();
    } catch (error) {
      // A process may not be allowed threads, or have too many: that is a failure of the call.
      return onDone(error as Error);
    }
    if (this.#waiting.length === 0) this.#worker.ref();
    this.#waiting.push(onDone);
    this.#worker.postMessage(request, handedOver);
  }

  #start(): Worker {
    // None of the host's loaders and preloaded modules: they would run here, too.
    const own = { execArgv: [], env: {}, name: 'kontiki-disk' };
    const worker = this.#create(program, { eval: true, ...own });
    worker.on('message', (answer: Answer) => this.#onAnswer(worker, answer));
    worker.on('error', (error) => this.#onEnd(worker, error));
    worker.on('exit', () => this.#onEnd(worker, new Error('the thread of the disk ended')));
    return worker;
  }

  #onAnswer(worker: Worker, answer: Answer): void {
    const onDone = this.#waiting.shift();
    assert(onDone !== undefined, 'each answer has its question');
    if (this.#waiting.length === 0) worker.unref();
    onDone(errorOf(answer), answer.result, answer.synced && errorOf(answer.synced));
  }

  /** Whatever was under way may have happened or not. The next call starts another thread. */
  #onEnd(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#worker = undefined;
    for (const onDone of waiting) onDone(error);
  }
}

function errorOf({ result, code, message }: Answer): Error | null {
  return result === undefined ? Object.assign(new Error(message), { code }) : null;
}
