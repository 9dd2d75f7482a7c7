/**
 * Runs seeds until one breaks an invariant, inside a copy of the project that is broken on purpose.
 *
 *     node --import tsx seed-runner.ts FIRST COUNT
 *
 * Says what it does in lines of JSON: see {@link RunnerLine}.
 */
import { drawScenario } from '../../../src/testing/run/draw-scenario.js';
import { simulateStore } from '../../../src/testing/run/simulate.js';

/** `ready`: the sources could be loaded; `held`: a seed broke nothing; `killed`: one did, the last line. */
export type RunnerLine =
  | { readonly kind: 'ready' }
  | { readonly kind: 'held'; readonly seed: number }
  | {
      readonly kind: 'killed';
      readonly seed: number;
      readonly id: string;
      readonly message: string;
    };

const [first = 1, count = 1] = process.argv.slice(2).map(Number);

tell({ kind: 'ready' });
for (let seed = first; seed < first + count; seed += 1) {
  const { violation } = await simulateStore(drawScenario(seed));
  if (violation !== undefined) {
    tell({ kind: 'killed', seed, id: violation.id, message: violation.message });
    break;
  }
  tell({ kind: 'held', seed });
}

function tell(line: RunnerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
