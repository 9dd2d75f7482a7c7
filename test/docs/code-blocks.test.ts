// Whoever copies an example from the documentation gets a program that compiles.
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { codeBlocks, complaintsAbout } from './code-blocks.js';

const pagesOf = (folder: string): string[] =>
  readdirSync(new URL(`../../${folder}`, import.meta.url))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
const pages = ['README.md', ...pagesOf('docs'), ...pagesOf('docs/api'), ...pagesOf('docs/guides')];

const onPage = (page: string, own: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(own).map(([name, text]) => [`${page}#${name}`, text]));

/** What a reader has of his own, or imports from elsewhere. */
const standIns = {
  Readable: "import { Readable } from 'node:stream';",
  createWriteStream: "import { createWriteStream } from 'node:fs';",
  describe: "import { describe } from 'vitest';",
  fc: "import fc from 'fast-check';",
  pipeline: "import { pipeline } from 'node:stream/promises';",
  rename: "import { rename } from 'node:fs/promises';",
  test: "import { test } from 'vitest';",
  writeFile: "import { writeFile } from 'node:fs/promises';",

  cluster: 'declare const cluster: Readonly<Record<string, string>>;',
  dir: 'declare const dir: string;',
  row: 'declare const row: string;',
  store: "declare const store: import('kontiki').Store;",
  value: 'declare const value: string;',

  apply: 'declare function apply(type: string, kv: object, previous?: object): void;',
  doOneJob: 'declare function doOneJob(token: number): Promise<void>;',
  encode: 'declare function encode(value: unknown): Uint8Array;',
  held: "declare const held: Awaited<ReturnType<typeof import('kontiki/concurrency').lock>>;",
  network:
    "declare const network: import('kontiki/testing').TransportNetwork & { end(): Promise<void> };",
  page: 'declare function page(alarms: readonly unknown[]): void;',
  resumeFrom: 'declare let resumeFrom: number;',
  serve:
    'declare function serve(as: { fencingToken: number; signal: AbortSignal }): Promise<void>;',
  stopWorking: 'declare function stopWorking(reason: unknown): void;',
  table: 'declare const table: { write(row: string, by: { token: number }): Promise<void> };',
  Table:
    "declare const Table: new (file: string) => import('kontiki').CommandMachine<string> & { get(key: string): unknown };",

  ...onPage('docs/api/testing.md', {
    machine:
      "declare const machine: import('kontiki/testing').PlainMachineSpec<Record<string, number>, { readonly key: string; readonly by: number }, number>;",
  }),
  ...onPage('docs/guides/testing-your-state-machine.md', {
    Answer: 'type Answer = number;',
    Input: 'interface Input { readonly key: string; readonly by: number }',
    MyStateMachine:
      "declare const MyStateMachine: new (engine: import('kontiki/storage').KvEngine, appliedIndex: number) => import('kontiki/node').StateMachine;",
    State: 'type State = Readonly<Record<string, number>>;',
    draw: "declare const draw: import('kontiki/testing').ReplicatedMachineSpec<State, Input, Answer>['draw'];",
    encodeCommand:
      'declare function encodeCommand(input: Input, session: number, seq: number): Uint8Array;',
    model:
      "declare const model: import('kontiki/testing').ReplicatedMachineSpec<State, Input, Answer>['model'];",
    readAppliedIndex:
      "declare function readAppliedIndex(engine: import('kontiki/storage').KvEngine): Promise<number>;",
  }),
  ...onPage('docs/api/invariants.md', {
    ...{
      a: 'declare const a: object;',
      b: 'declare const b: object;',
      c: 'declare const c: object;',
    },
    now: 'declare const now: number;',
    viewOf: "declare function viewOf(node: object): import('kontiki/testing').NodeView;",
  }),
};

test('every block of README and docs compiles; what is not there is told, with its place', () => {
  const blocks = pages.flatMap(codeBlocks);
  expect(blocks.length).toBeGreaterThan(25);
  const text = 'await store.laese(10);\nawait store.lease(10, { keepAlve: true });\nopenStor();\n';
  const complaints = complaintsAbout([...blocks, { page: 'planted', line: 1, text }], standIns);
  expect(complaints).toEqual([
    expect.stringContaining('planted:1: '),
    expect.stringContaining('planted:2: '),
    expect.stringContaining('planted:3: '),
  ]);
});
