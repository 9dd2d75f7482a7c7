// Goal: every tidy rule fails on a planted violation, names the right line, and lets good code pass.
// Method: a few lines of source per case, never written to the disk.
import { describe, expect, test } from 'vitest';
import { checkAsync, checkClocks, checkDefaultExports } from './bans.js';
import { checkDocs } from './docs.js';
import { type Exception, report } from './exceptions.js';
import {
  checkFileNames,
  checkLockFile,
  checkMachineTraces,
  checkOpenEnds,
  checkSkips,
} from './hygiene.js';
import { checkImports, checkRootIsReExports } from './imports.js';
import {
  checkFileLengths,
  checkFunctionLengths,
  fileLinesMax,
  functionLinesMax,
  testFileLinesMax,
} from './lengths.js';
import type { Finding, Source } from './source.js';

type Rule = (files: readonly Source[]) => Finding[];

const file = (path: string, ...lines: string[]): Source => ({
  path,
  text: `${lines.join('\n')}\n`,
});
const lines = (count: number, line = 'f();'): string[] => Array.from({ length: count }, () => line);

/** The lines that the rule reports in one planted file. */
const found = (rule: Rule, path: string, ...text: string[]): number[] =>
  rule([file(path, ...text)]).map((finding) => finding.line);

describe('imports', () => {
  const bad: readonly (readonly [path: string, statement: string])[] = [
    ['src/base/bytes.ts', "import { step } from '../raft/step.js';"],
    ['src/base/bytes.ts', "import { createHash } from 'node:crypto';"],
    ['src/raft/step.ts', "import type { Keyspace } from '../mvcc/keyspace.js';"],
    ['src/raft/step.ts', "import { systemClock } from '../base/clock.js';"],
    ['src/raft/step.ts', "import { Packr } from 'msgpackr';"],
    ['src/mvcc/keyspace.ts', "import { ClassicLevel } from 'classic-level';"],
    ['src/codec/message.ts', "import { Message } from '../raft/messages.js';"],
    ['src/codec/message.ts', "import { type Message } from '../raft/messages.js';"],
    ['src/codec/message.ts', "export * from '../raft/messages.js';"],
    ['src/storage/log-store.ts', "import { ClassicLevel } from 'classic-level';"],
    ['src/storage/log-store.ts', "import { engine } from './classic-level/engine.js';"],
    ['src/storage/wal/writer.ts', "import { open } from 'node:fs/promises';"],
    ['src/storage/wal/writer.ts', "const fs = await import('node:fs');"],
    ['src/storage/wal/writer.ts', "const fs = require('node:fs');"],
    ['src/storage/level/engine.ts', "import { ClassicLevel } from 'classic-level';"],
    ['src/storage/node-fs/fs.ts', "import { setTimeout } from 'node:timers/promises';"],
    ['src/transport/frame.ts', "import { connect } from 'node:net';"],
    ['src/transport/memory.ts', "import { tcp } from './tcp/tcp.js';"],
    ['src/node/node.ts', "import { Wal } from '../storage/wal/wal.js';"],
    ['src/node/node.ts', "import type { Keyspace } from '../mvcc/keyspace.js';"],
    ['src/store/store.ts', "import type { Wal } from '../storage/wal/wal.js';"],
    ['src/store/store.ts', "import { setTimeout } from 'node:timers';"],
    ['src/preset/store.ts', "import { Simulator } from '../testing/simulator.js';"],
    ['src/testing/simulator.ts', "import { tcp } from '../transport/tcp/tcp.js';"],
    ['src/testing/simulator.ts', "import { openStore } from '../preset/store.js';"],
    ['src/assembly/open.ts', "import { openStore } from '../preset/store.js';"],
    ['src/assembly/open.ts', "import { randomBytes } from 'node:crypto';"],
    ['src/cli/main.ts', "import { readFile } from 'node:fs/promises';"],
    ['src/cli/sim.ts', "import { simulate } from '../testing/index.js';"],
    ['src/preset/store.ts', "const testing = await import('../testing/index.js');"],
    ['src/index.ts', "export { Simulator } from './testing/simulator.js';"],
    ['src/raft/step.ts', "import { assert } from '../base/assert';"],
    ['src/raft/step.ts', "import { plan } from '../../test/plan.js';"],
    ['src/raft/step.ts', "let m: import('../mvcc/types.js').KeyValue;"],
    ['src/preset/store.ts', 'const engine = await import(name);'],
    ['src/novel/thing.ts', "import { assert } from '../base/assert.js';"],
  ];
  test.each(bad)('%s may not say %s', (path, statement) => {
    expect(found(checkImports, path, statement)).toEqual([1]);
  });

  const good: readonly (readonly [path: string, statement: string])[] = [
    ['src/raft/step.ts', "import { assert } from '../base/assert.js';"],
    ['src/raft/step.ts', "import { quorum } from './quorum.js';"],
    ['src/codec/message.ts', "import type { Message } from '../raft/messages.js';"],
    ['src/codec/message.ts', "export type { Message } from '../raft/messages.js';"],
    ['src/codec/message.ts', "import { Packr } from 'msgpackr';"],
    ['src/storage/classic-level/engine.ts', "import { ClassicLevel } from 'classic-level';"],
    ['src/storage/classic-level/engine.ts', "import { log } from '../log-store.js';"],
    ['src/storage/node-fs/fs.ts', "import { open } from 'node:fs/promises';"],
    ['src/transport/tcp/tcp.ts', "import { connect } from 'node:net';"],
    ['src/node/node.ts', "import type { Wal } from '../storage/wal/wal.js';"],
    ['src/preset/store.ts', "const m = await import('../storage/classic-level/index.js');"],
    ['src/preset/store.ts', "import { randomBytes } from 'node:crypto';"],
    ['src/cli/main.ts', "const load = () => import('../testing/index.js');"],
    ['src/cli/sim.ts', "import type { SimTotals } from '../testing/index.js';"],
    ['src/testing/suite.ts', "import { memory } from '../storage/memory/log-store.js';"],
    ['src/index.ts', "export { openStore } from './preset/store.js';"],
    ['test/raft/step.test.ts', "import { openStore } from '../../src/index.js';"],
  ];
  test.each(good)('%s may say %s', (path, statement) => {
    expect(found(checkImports, path, statement)).toEqual([]);
  });

  test('the root: code of its own is found, re-exports are not', () => {
    const text = ["export { a } from './node/a.js';", 'export const b = 1;', 'f();'];
    expect(found(checkRootIsReExports, 'src/index.ts', ...text)).toEqual([2, 3]);
    expect(found(checkRootIsReExports, 'src/raft/index.ts', ...text)).toEqual([]);
  });
});

describe('time and chance', () => {
  test.each([
    'const t = Date.now();',
    'const t = new Date();',
    'const t = Date();',
    "const t = Date['now']();",
    'const { now } = Date;',
    'const { random: chance } = Math;',
    'const t = performance.now();',
    'const n = Math.random();',
    'const n = globalThis.Math.random();',
    'setTimeout(f, 1);',
    'globalThis.setTimeout(f, 1);',
    'const timers = { setTimeout };',
    'setInterval(f, 1);',
    'setImmediate(f);',
    'queueMicrotask(f);',
    'process.nextTick(f);',
    'const s = AbortSignal.timeout(1);',
  ])('%s is found', (statement) => {
    expect(found(checkClocks, 'src/node/node.ts', 'f();', statement)).toEqual([2]);
  });

  test.each([
    'env.timers.setTimeout(f, 1);',
    'interface Timers { setTimeout(f: () => void): void }',
    'const t = env.clock.now();',
    '// Date.now() in a comment',
    "const s = 'Math.random()';",
    'const when: Date = given;',
  ])('%s passes', (statement) => {
    expect(found(checkClocks, 'src/node/node.ts', statement)).toEqual([]);
  });

  test('the clock file and the tests may use the clock', () => {
    expect(found(checkClocks, 'src/base/clock.ts', 'Date.now();')).toEqual([]);
    expect(found(checkClocks, 'test/base/clock.test.ts', 'Date.now();')).toEqual([]);
  });
});

describe('the pure parts', () => {
  test.each([
    'async function f() {}',
    'const f = async () => {};',
    'class A { async f() {} }',
    'const a = await f();',
    'for await (const a of b) f(a);',
    'const p = new Promise(f);',
    'const p = Promise.resolve(1);',
  ])('%s is found', (statement) => {
    expect(found(checkAsync, 'src/raft/step.ts', statement).length).toBeGreaterThan(0);
    expect(found(checkAsync, 'src/mvcc/keyspace.ts', statement).length).toBeGreaterThan(0);
    expect(found(checkAsync, 'src/node/node.ts', statement)).toEqual([]);
  });

  test('a promise as a type passes', () => {
    const text = 'interface Backend { get(key: Uint8Array): Promise<void> }';
    expect(found(checkAsync, 'src/mvcc/backend.ts', text)).toEqual([]);
  });
});

describe('exports', () => {
  test.each([
    'export default function f() {}',
    'export default class {}',
    'export default 1;',
    'export { f as default };',
    "export { default } from './f.js';",
  ])('%s is found', (statement) => {
    expect(found(checkDefaultExports, 'src/node/node.ts', statement)).toEqual([1]);
  });

  test('a default clause of a switch and an export by name pass', () => {
    const text = ['export const f = 1;', 'switch (f) {', 'default: g();', '}'];
    expect(found(checkDefaultExports, 'src/node/node.ts', ...text)).toEqual([]);
  });
});

describe('lengths', () => {
  test('a file at its limit passes, one line more is found', () => {
    for (const [path, max] of [
      ['src/raft/step.ts', fileLinesMax],
      ['examples/failover/main.ts', fileLinesMax],
      ['test/raft/step.test.ts', testFileLinesMax],
    ] as const) {
      expect(found(checkFileLengths, path, ...lines(max))).toEqual([]);
      expect(found(checkFileLengths, path, ...lines(max + 1))).toEqual([max + 1]);
    }
  });

  test('a file of nothing but types may be longer', () => {
    const types = ["import type { A } from './a.js';", ...lines(600, 'export type B = A;')];
    expect(found(checkFileLengths, 'src/raft/types.ts', ...types)).toEqual([]);
    expect(found(checkFileLengths, 'src/raft/types.ts', ...types, 'f();')).toHaveLength(1);
  });

  test.each([
    ['function f() {', '}'],
    ['const f = () => {', '};'],
    ['const f = function () {', '};'],
    ['class A { f() {', '} }'],
    ['class A { constructor() {', '} }'],
    ['class A { get f() {', '} }'],
    ['class A { f = () => {', '} }'],
  ])('%s: 70 lines with the signature pass, 71 are found', (open, close) => {
    const body = functionLinesMax - 2;
    const at = (count: number): number[] =>
      found(checkFunctionLengths, 'src/a.ts', 'f();', open, ...lines(count), close);
    expect(at(body)).toEqual([]);
    expect(at(body + 1)).toEqual([2]);
  });

  test('the docstring does not count', () => {
    const text = ['/**', ...lines(80, ' * why'), ' */', 'function f() {', '}'];
    expect(found(checkFunctionLengths, 'src/a.ts', ...text)).toEqual([]);
  });

  test('a describe callback may be long in a test, nowhere else', () => {
    for (const open of ["describe('x', () => {", "describe.each([1])('x', () => {"]) {
      const text = [open, ...lines(80), '});'];
      expect(found(checkFunctionLengths, 'test/a.test.ts', ...text)).toEqual([]);
      expect(found(checkFunctionLengths, 'src/testing/a.ts', ...text)).toEqual([1]);
    }
    const text = ["test('x', () => {", ...lines(80), '});'];
    expect(found(checkFunctionLengths, 'test/a.test.ts', ...text)).toEqual([1]);
  });
});

describe('docstrings', () => {
  const entry = 'src/raft/index.ts';
  const check = (...files: Source[]): string[] =>
    report('docs', checkDocs(files, [entry, 'src/index.ts']), []);

  test('a name without docstring, without @since, without version is found', () => {
    const index = file(entry, "export { a, b, c, d } from './a.js';");
    const a = file(
      'src/raft/a.ts',
      'export const a = 1;',
      '/** What b is. */',
      'export function b(): void {}',
      '// What c is, @since 0.1.0, in a comment of the wrong kind.',
      'export class c {}',
      '/**',
      ' * What d is.',
      ' *',
      ' * @since today',
      ' */',
      'export interface d {}',
    );
    expect(check(index, a)).toEqual([
      'src/raft/a.ts:1 a has no docstring',
      'src/raft/a.ts:3 b has no @since in its docstring',
      'src/raft/a.ts:5 c has no docstring',
      'src/raft/a.ts:11 d has an @since without a version',
    ]);
  });

  test('names are followed through stars, renames and namespaces, each reported once', () => {
    const files = [
      file(entry, "export * from './a.js';", "export * as op from './op.js';"),
      file('src/index.ts', "export { a as b } from './raft/index.js';"),
      file('src/raft/a.ts', 'export type a = 1;'),
      file('src/raft/op.ts', 'export const put = 1;'),
    ];
    expect(check(...files)).toEqual([
      'src/raft/a.ts:1 a has no docstring',
      'src/raft/op.ts:1 put has no docstring',
    ]);
  });

  test('documented names, private names and names of packages pass', () => {
    const files = [
      file(entry, "export { a, b, c } from './a.js';", "export { Packr } from 'msgpackr';"),
      file(
        'src/raft/a.ts',
        ...['/**', ' * A.', ' *', ' * @since 0.1.0', ' */', 'export const a = 1;'],
        '/** B, in one line. @since 0.1.0 */',
        'export function b(x: 1): 1;',
        'export function b(x: 2): 2;',
        '/** @since 0.2.0 */',
        'export class c {}',
      ),
      file('src/raft/private.ts', 'export const b = 1;'),
    ];
    expect(check(...files)).toEqual([]);
  });
});

describe('hygiene', () => {
  test('an open end without an issue is found, in every kind of comment', () => {
    const word = 'TODO';
    const text = [`// ${word} later`, `f(); /* ${word}: x */`, '/**', ` * ${word}`, ' */', 'g();'];
    expect(found(checkOpenEnds, 'src/a.ts', ...text)).toEqual([1, 2, 4]);
  });

  test('an open end with an issue, and the word in a string, pass', () => {
    const text = ['// TODO(#12): later', "const s = 'TODO';", 'const t = `// TODO`;'];
    expect(found(checkOpenEnds, 'src/a.ts', ...text)).toEqual([]);
  });

  test.each(['utils', 'helpers', 'common', 'ready_loop', 'ReadyLoop', 'readyLoop'])(
    '%s.ts is no name for a file',
    (name) => {
      expect(found(checkFileNames, `src/node/${name}.ts`, 'f();')).toEqual([1]);
    },
  );

  test.each(['src/node/ready-loop.ts', 'test/node/ready-loop.test.ts', 'tsup.config.ts'])(
    '%s is a name for a file',
    (path) => {
      expect(found(checkFileNames, path, 'f();')).toEqual([]);
    },
  );

  test.each([
    "test.skip('puts', f);",
    "test.skipIf(!etcd)('puts', f);",
    "describe.runIf(etcd)('puts', f);",
    "test.todo('puts');",
    "test.skip.each([1])('puts %i', f);",
    'context.skip();',
    'context.skip(true);',
  ])('%s is found', (statement) => {
    expect(found(checkSkips, 'test/a.test.ts', statement)).toEqual([1]);
  });

  test.each([
    "test.skipIf(!etcd)('puts (skipped unless etcd is on the PATH)', f);",
    "context.skip('needs etcd on the PATH');",
    "context.skip(!etcd, 'needs etcd on the PATH');",
    'reader.skip(4);',
  ])('%s passes', (statement) => {
    expect(found(checkSkips, 'test/a.test.ts', statement)).toEqual([]);
  });

  // The planted texts are joined from pieces, else this file would be found itself.
  test.each([
    ['', 'home', 'me', 'kontiki'].join('/'),
    `see "${['', 'tmp', 'data'].join('/')}"`,
    ['C:', 'Users'].join('\\'),
    ['https://registry', 'npmjs', 'org/level'].join('.'),
    ['http://registry', 'example', 'com:4873/level'].join('.'),
  ])('%s is a trace of a machine', (text) => {
    expect(found(checkMachineTraces, 'docs/a.md', 'fine', text)).toEqual([2]);
  });

  test.each(['#!/usr/bin/env bash', 'see docs/adr/0001.md', '/v3/kv/put', './data/n1', 'and/or'])(
    '%s is no trace of a machine',
    (text) => {
      expect(found(checkMachineTraces, 'docs/a.md', text)).toEqual([]);
    },
  );

  test('a download address in the lock file is found', () => {
    const text = ['{', '  "resolved": "x"', '}'];
    expect(found(checkLockFile, 'package-lock.json', ...text)).toEqual([2]);
    expect(found(checkLockFile, 'package.json', ...text)).toEqual([]);
  });
});

describe('exceptions', () => {
  const finding = (path: string, line: number): Finding => ({ path, line, message: 'is long' });
  const allow = (count: number): Exception[] => [
    { rule: 'short', path: 'src/a.ts', count, reason: 'planted' },
  ];

  test('findings become lines of file:line and message', () => {
    expect(report('short', [finding('src/a.ts', 3)], [])).toEqual(['src/a.ts:3 is long']);
  });

  test('an exact exception excuses its file, not another file or rule', () => {
    const findings = [finding('src/a.ts', 3), finding('src/b.ts', 4)];
    expect(report('short', findings, allow(1))).toEqual(['src/b.ts:4 is long']);
    expect(report('other', findings, allow(1))).toHaveLength(2);
  });

  test('one finding more than allowed shows all of them', () => {
    const findings = [finding('src/a.ts', 3), finding('src/a.ts', 9)];
    expect(report('short', findings, allow(1))).toHaveLength(2);
  });

  test('an exception that allows too much is stale', () => {
    const [line] = report('short', [finding('src/a.ts', 3)], allow(2));
    expect(line).toMatch(/stale/);
    expect(report('short', [], allow(1))).toHaveLength(1);
  });
});
