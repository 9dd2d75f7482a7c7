// A whole store on a disk that damages what lies on it, lies itself, or loses a batch of the engine: it
// opens with what it must hold or refuses by a code, and never holds anything else. KONTIKI_DEPTH=n runs
// n times as many seeds.
import { describe, expect, test } from 'vitest';
import { DamagedRun, type Ending } from './damaged-run.js';
import { SingleStore } from './single-store.js';
import { imageOf } from './store-damage.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const seeds = 16 * depth;

const kinds: readonly {
  readonly name: string;
  readonly play: (run: DamagedRun) => Promise<Ending>;
  /** That all come up, and no other ones. */
  readonly endings: readonly Ending[];
  /** That come up now and then. */
  readonly rare: readonly Ending[];
}[] = [
  {
    name: 'a flipped bit, a misdirected write, a lost name',
    play: (run) => run.ofFiles(),
    endings: ['right', 'WAL_CORRUPT', 'STATE_CORRUPT'],
    rare: ['SNAPSHOT_CORRUPT'],
  },
  {
    name: 'a lost batch or a flipped bit of the engine',
    play: (run) => run.ofEngine(),
    endings: ['right', 'STATE_CORRUPT'],
    rare: [],
  },
  {
    name: 'syncs that lie, then a power loss',
    play: (run) => run.ofLies(),
    endings: ['right', 'WAL_CORRUPT'],
    rare: ['STATE_CORRUPT', 'earlier'],
  },
];

async function playAll({ endings, play, rare }: (typeof kinds)[number]) {
  const counts = new Map<Ending, number>();
  for (let seed = 1; seed <= seeds; seed += 1) {
    const damaged = new DamagedRun(seed);
    let ending: Ending;
    try {
      ending = await play(damaged);
    } catch (error) {
      const { stack } = error as Error;
      const trace = damaged.run.one.sim.describe();
      throw new Error(`seed ${seed}, ${damaged.what}: ${stack}\n${trace}`, { cause: error });
    }
    if (![...endings, ...rare].includes(ending)) expect.fail(`seed ${seed}: ${ending}`);
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  return counts;
}

describe('a whole store, damage', () => {
  test.each(kinds)(
    `$name, ${seeds} seeds -> right, or refused and unchanged`,
    async (kind) => {
      const counts = await playAll(kind);
      for (const ending of kind.endings) expect(counts.get(ending) ?? 0, ending).toBeGreaterThan(0);
      if (depth > 1) console.log(kind.name, Object.fromEntries(counts));
    },
    30_000 * depth,
  );

  // A log that was opened to be looked at had its last group written again, and zeros behind it.
  test('the member file gone beside a used log -> STATE_CORRUPT, not a byte is changed', async () => {
    const one = new SingleStore(1);
    await one.open();
    await one.close();
    const { disk } = one.machine;
    disk.names.removeTree(`${one.dir}/member.json`);
    const before = imageOf(disk);
    await expect(one.open()).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
    expect(imageOf(disk)).toEqual(before);
  });
});
