/**
 * A broken invariant as `kontiki sim` tells it: how to run it again, as little as it takes, and as files
 * to keep.
 */
import { utf8Bytes } from '../base/bytes.js';
import type { CommandContext, Testing } from './command.js';
import { readVersion } from './version.js';

type SeedRun = Awaited<ReturnType<Testing['runSeed']>>;
type Violation = NonNullable<SeedRun['violation']>;

/** Newest lines of the trace that are told. */
const linesTold = 20;

export class SimFindings {
  readonly #options: { readonly shrinks: boolean; readonly out: string | undefined };
  readonly #testing: Testing;
  readonly #context: CommandContext;

  /** @param options - whether to shrink, and the folder to write to */
  constructor(
    options: { readonly shrinks: boolean; readonly out: string | undefined },
    testing: Testing,
    context: CommandContext,
  ) {
    this.#options = options;
    this.#testing = testing;
    this.#context = context;
  }

  async tell(run: SeedRun, { id, message, atMs }: Violation): Promise<void> {
    const { print, update } = this.#context;
    update?.('');
    print(`VIOLATION ${id} at ${atMs} ms of seed ${run.seed}: ${message}`);
    for (const line of this.#trace(run).slice(-linesTold)) print(`  ${line}`);
    print(`again: kontiki sim --seed ${run.seed} --profile ${run.profile}`);
    const kept = this.#options.shrinks ? await this.#shrink(run) : run;
    await this.#keep(kept);
  }

  /** Bare cores keep lines only when asked to: they run again. */
  #trace({ drawn, trace }: SeedRun): readonly string[] {
    if (drawn.cores === undefined) return trace;
    return this.#testing.simulateCores({ ...drawn.cores, traceLines: linesTold }).trace;
  }

  /** The smallest run found that breaks the same; bare cores have nothing to take away. */
  async #shrink(run: SeedRun): Promise<SeedRun> {
    const { print, update } = this.#context;
    const { scenario } = run.drawn;
    if (scenario === undefined) return run;
    const again = await this.#testing.simulate({ scenario });
    if (again.violation?.id !== run.violation?.id) {
      print('it did not happen again: equal runs are not equal');
      return run;
    }
    const smallest = await again.shrink({
      onRun: (runs, { faults }) => update?.(`shrinking: ${runs} runs, ${faults.length} faults`),
    });
    update?.('');
    const { members, clients, faults, durationMs } = smallest.scenario;
    print(
      `shrunk to ${members} members, ${clients} clients, ${faults.length} faults, ${durationMs} ms`,
    );
    const { violation, trace } = smallest;
    return { ...run, drawn: { scenario: smallest.scenario }, violation, trace };
  }

  async #keep(run: SeedRun): Promise<void> {
    const { print, fs, packageFile } = this.#context;
    const { scenario } = run.drawn;
    const source =
      scenario === undefined
        ? undefined
        : this.#testing.scenarioSource({ scenario, violation: run.violation });
    const { out } = this.#options;
    if (out === undefined) {
      if (source !== undefined && this.#options.shrinks) print(source);
      return;
    }
    const version = await readVersion(fs, packageFile);
    const name = `${run.profile}-${run.seed}`;
    await this.#write(`${out}/${name}.json`, this.#testing.regressionText(run, version));
    if (source !== undefined) await this.#write(`${out}/${name}.test.ts`, source);
  }

  /** In place of what an earlier run left there. */
  async #write(path: string, text: string): Promise<void> {
    const { fs, print } = this.#context;
    await fs.makeDirectory(path.slice(0, path.lastIndexOf('/')));
    await fs.remove(path);
    const file = await fs.open(path, 'create');
    try {
      await file.write(0, [utf8Bytes(text)]);
    } finally {
      await file.close();
    }
    print(`written: ${path}`);
  }
}
