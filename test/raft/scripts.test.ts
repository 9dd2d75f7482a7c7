// Goal: what the reference's files leave out: reads, handovers, restarts that lose what was not
// synced, snapshot reports, byte windows, the uncommitted size (conformance §8). Same grammar, own
// commands besides; run in all the ways of conformance.test.ts.
//
// KONTIKI_REWRITE=1 records what the scripts show instead of comparing it: read every line then.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { rewriteScript } from './conformance/rewrite-script.js';
import { runScenario } from './conformance/run-scenario.js';
import { plainVariant, variants } from './conformance/variant.js';

const folder = fileURLToPath(new URL('scripts/', import.meta.url));

const scripts = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .sort()
  .map((name) => ({ name, path: `${folder}${name}`, text: readFileSync(folder + name, 'utf8') }));

describe('scripts', () => {
  test('there are some', () => {
    expect(scripts.length).toBeGreaterThan(0);
  });

  for (const script of scripts) {
    if (process.env.KONTIKI_REWRITE === '1') {
      test(`${script.name}, recorded`, () => {
        rewriteScript(script.path, script, { variant: plainVariant, asReference: false });
      });
      continue;
    }
    test.each(variants)(`${script.name}, $name`, (variant) => {
      const options = { variant, asReference: false };
      const shown = runScenario(script, options);
      expect(runScenario(script, options), 'the same run shows the same').toEqual(shown);
    });
  }
});
