// A whole store on a simulated disk that loses, keeps and tears what was not synced, fails and fills
// up: after every crash everything acknowledged is there, nothing refused, and what nobody was told
// about is there whole or not at all. KONTIKI_DEPTH=n runs n times as many seeds.
import { describe, expect, test } from 'vitest';
import { StoreRun } from './store-run.js';

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
const seeds = 25 * depth;

describe('a whole store, power loss', () => {
  test(
    `${seeds} seeds -> what was acknowledged is there, and nothing that was not asked for`,
    async () => {
      const total: Record<string, number> = { confirmed: 0, foundLater: 0 };
      for (let seed = 1; seed <= seeds; seed += 1) {
        const run = new StoreRun(seed);
        try {
          await run.play();
        } catch (error) {
          const trace = run.one.sim.describe();
          const { stack } = error as Error;
          throw new Error(`seed ${seed}: ${stack}\n${trace}`, { cause: error });
        }
        const { confirmed, foundLater } = run.one.ledger;
        for (const [name, count] of Object.entries({ ...run.total, confirmed, foundLater })) {
          total[name] = (total[name] ?? 0) + count;
        }
      }
      for (const [name, count] of Object.entries(total)) expect(count, name).toBeGreaterThan(0);
      if (depth > 1) console.log(seeds, total);
    },
    30_000 * depth,
  );
});
