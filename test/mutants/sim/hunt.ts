/** Looks for the first seed of a range that notices a defect, in a process of its own. */
import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'tsup';
import type { RunnerLine } from './seed-runner.js';

/** What came of one range of seeds. */
export interface Hunt {
  /** Seeds until the kill, that one included; `undefined`: all held. */
  readonly seeds: number | undefined;
  /** The seed that killed, and what it broke. */
  readonly killer?: { readonly seed: number; readonly id: string; readonly message: string };
}

/** Without a word for as long, a run hangs: which is a kill too. */
const silenceMs = 300_000;

/** In a copy of the project; what it imports is found from there. */
const compiled = 'out/seed-runner.js';

/**
 * Compiles what runs seeds in the copy of the project in `dir`, as it is now: it starts, and runs, faster
 * than with a loader, which counts in hundreds of hunts.
 *
 * @throws when the copy cannot be compiled: then the defect is no defect
 */
export async function compileRunner(dir: string): Promise<void> {
  await build({
    entry: { 'seed-runner': join(dir, 'test/mutants/sim/seed-runner.ts') },
    outDir: join(dir, 'out'),
    ...{ bundle: true, clean: false, config: false, format: 'esm', silent: true, splitting: false },
    target: 'node20.19',
    tsconfig: join(dir, 'tsconfig.json'),
  });
}

/** Seeds to run. */
export interface SeedRange {
  readonly first: number;
  /** At most. */
  readonly count: number;
  /** Whose seeds; a seed runs all of them. */
  readonly profiles: readonly string[];
}

/**
 * Runs seeds in the copy of the project in `dir`, as it was compiled last.
 *
 * @throws when the copy does not even load: then the defect is no defect
 */
export async function hunt(dir: string, { first, count, profiles }: SeedRange): Promise<Hunt> {
  const args = [compiled, String(first), String(count), ...profiles];
  const child = spawn(process.execPath, args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  if (child.pid !== undefined) setPriority(child.pid, 10);
  let complaint = '';
  child.stderr.on('data', (data: Buffer) => {
    complaint = (complaint + data.toString()).slice(-2_000);
  });
  const exited = new Promise((resolve) => child.once('close', resolve));
  let isReady = false;
  let isSilent = false;
  let seed = first;
  const watchdog = setInterval(() => {
    isSilent = true;
    child.kill('SIGKILL');
  }, silenceMs);
  try {
    for await (const text of createInterface({ input: child.stdout })) {
      watchdog.refresh();
      const line = JSON.parse(text) as RunnerLine;
      if (line.kind === 'ready') isReady = true;
      else if (line.kind === 'held') seed = line.seed + 1;
      else {
        const { id, message, seed: found } = line;
        return { seeds: found - first + 1, killer: { seed: found, id, message } };
      }
    }
    await exited;
  } finally {
    clearInterval(watchdog);
  }
  if (!isReady) throw new Error(`the copy does not load: ${complaint}`);
  if (seed === first + count) return { seeds: undefined };
  const id = isSilent ? 'HANG' : 'CRASH';
  return { seeds: seed - first + 1, killer: { seed, id, message: complaint.trim() } };
}
