/** A process that runs seeds for the soak; another takes its place when it dies or hangs. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { SoakAnswer, SoakTask } from './soak-worker.js';

const worker = fileURLToPath(new URL('soak-worker.js', import.meta.url));

/** Each job has a core at most: threads that collect garbage beside it take it from the other jobs. */
const execArgv = ['--single-threaded-gc', '--max-semi-space-size=32', '--stack-trace-limit=4'];

/** The longest seed takes seconds. */
const hangMs = 600_000;

export class SoakProcess {
  #child: ChildProcess | undefined;

  /** Runs a seed; a process that dies of it or hangs is a violation like any other. */
  run(task: SoakTask): Promise<SoakAnswer> {
    const startMs = performance.now();
    this.#child ??= fork(worker, { execArgv });
    const child = this.#child;
    return new Promise((resolve) => {
      const end = (answer: SoakAnswer) => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(answer);
      };
      const lost = (id: string, message: string) => {
        this.stop();
        const realMs = performance.now() - startMs;
        const violation = { id, message, atMs: 0 };
        end({ ...task, simulatedMs: 0, counts: {}, violation, realMs, trace: [] });
      };
      const timer = setTimeout(() => lost('HANGS', `no end within ${hangMs} ms`), hangMs);
      child.on('message', (answer) => end(answer as SoakAnswer));
      child.on('exit', (code, signal) => lost('DIED', `the process ended with ${code ?? signal}`));
      child.send(task);
    });
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}
