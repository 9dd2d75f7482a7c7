// Goal: kontiki/testing runs in a browser. Method: bundle it for one, and run a whole simulation in a
// context that has nothing but the globals of a browser.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import { simulate } from '../../src/testing/index.js';

interface Bundle {
  readonly outputFiles: readonly { readonly text: string }[];
  readonly metafile: { readonly inputs: Readonly<Record<string, unknown>> };
}

interface Bundler {
  buildSync(options: Readonly<Record<string, unknown>>): Bundle;
}

// The bundler that builds the package is there anyway.
const fromTsup = createRequire(createRequire(import.meta.url).resolve('tsup'));
const { buildSync } = fromTsup('esbuild') as Bundler;

/** Fails on any import that a browser cannot resolve. */
const { outputFiles, metafile } = buildSync({
  entryPoints: [fileURLToPath(new URL('../../src/testing/index.ts', import.meta.url))],
  bundle: true,
  format: 'iife',
  globalName: 'kontikiTesting',
  platform: 'browser',
  target: 'es2022',
  write: false,
  metafile: true,
});
const code = outputFiles[0]?.text ?? '';

const channels: InstanceType<typeof MessageChannel>[] = [];

/** Lets the process end although nobody closes the channel: in a browser the page does. */
class PageChannel extends MessageChannel {
  constructor() {
    super();
    channels.push(this);
  }
}

afterAll(() => {
  for (const { port1 } of channels) port1.close();
});

test('the bundle for browsers: no built-in of Node, no addon', () => {
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.length).toBeGreaterThan(100);
  const strangers = inputs.filter((path) =>
    /node:|node-fs|classic-level|transport\/tcp|msgpackr-extract/.test(path),
  );
  expect(strangers).toEqual([]);
  expect(code).not.toMatch(/require\("node:|from "node:|import\("node:/);
});

/** In a context of its own arrays are of its own classes too, which Node's encoder does not know. */
const ownEncoder = `
  class TextEncoder extends NodeEncoder {
    encode(text) {
      return new Uint8Array(super.encode(text));
    }
  }
`;

test('a page with nothing but the globals of a browser -> the run that Node has', async () => {
  const options = { seed: 4, duration: '2s', members: 3, pause: '100ms' } as const;
  const page = vm.createContext({
    ...{ MessageChannel: PageChannel, setTimeout, clearTimeout, performance },
    ...{ NodeEncoder: TextEncoder, TextDecoder, AbortController, AbortSignal, console },
  });
  const run = `${ownEncoder}; ${code}; kontikiTesting.simulate(${JSON.stringify(options)})`;
  const there = (await vm.runInContext(run, page)) as Awaited<ReturnType<typeof simulate>>;
  const here = await simulate(options);
  expect(vm.runInContext('typeof setImmediate + typeof process', page)).toBe('undefinedundefined');
  expect(there.violation).toBeUndefined();
  expect(there.figures).toEqual(here.figures);
  expect(there.traceHash).toBe(here.traceHash);
  expect(channels).toHaveLength(1);
});
