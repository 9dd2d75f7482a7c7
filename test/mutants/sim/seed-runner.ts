/**
 * Runs seeds until one breaks an invariant, inside a copy of the project that is broken on purpose.
 *
 *     node seed-runner.js FIRST COUNT PROFILE...
 *
 * Each seed is a run of every profile. Says what it does in lines of JSON: see {@link RunnerLine}.
 */
import { type SimProfile, simProfiles } from '../../../src/testing/swarm/profiles.js';
import { runDrawn } from '../../../src/testing/swarm/run-seed.js';

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

/** Of runs of bare cores, whose profiles say more. */
const durationMs = 20_000;
const [first = 1, count = 1] = process.argv.slice(2, 4).map(Number);
const profiles = process.argv.slice(4).map((name) => simProfiles.get(name) as SimProfile);

tell({ kind: 'ready' });
for (let seed = first; seed < first + count; seed += 1) {
  const violation = await violationOf(seed);
  if (violation !== undefined) {
    tell({ kind: 'killed', seed, id: violation.id, message: violation.message });
    break;
  }
  tell({ kind: 'held', seed });
}

async function violationOf(seed: number) {
  for (const { name, draw } of profiles) {
    const drawn = draw(seed);
    const isOfCores = drawn.cores !== undefined;
    const run = isOfCores ? { cores: { ...drawn.cores, durationMs } } : drawn;
    const { violation } = await runDrawn(name, run);
    if (violation !== undefined) return { ...violation, id: `${violation.id} (${name})` };
  }
  return undefined;
}

function tell(line: RunnerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
