// Goal: `await using` finds the method wherever the library is loaded: test frameworks load it into
// contexts of node:vm, where Node 20 has no Symbol.asyncDispose, and compilers look for another name.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { asyncDispose } from '../../src/base/async-dispose.js';

const path = fileURLToPath(new URL('../../src/base/async-dispose.ts', import.meta.url));

/** The name that the module gives in another context, and what a compiler looks for there. */
function nameIn(prepare: string): { readonly given: unknown; readonly wanted: unknown } {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), { compilerOptions });
  const exports: { asyncDispose?: unknown } = {};
  const context = createContext({ exports });
  runInContext(prepare, context);
  runInContext(outputText, context);
  const look = "Symbol.asyncDispose || Symbol.for('Symbol.asyncDispose')";
  return { given: exports.asyncDispose, wanted: runInContext(look, context) };
}

test('a context that has no such symbol -> the one that compilers fall back to', () => {
  const { given, wanted } = nameIn('delete Symbol.asyncDispose');
  expect(given).toBe(wanted);
  expect(given).toBe(Symbol.for('Symbol.asyncDispose'));
});

test('a context that has one -> that', () => {
  const own = "Object.defineProperty(Symbol, 'asyncDispose', { value: Symbol('own') })";
  const { given, wanted } = nameIn(`if (Symbol.asyncDispose === undefined) ${own}`);
  expect(given).toBe(wanted);
  expect(given).not.toBe(Symbol.for('Symbol.asyncDispose'));
});

test('whoever has the method -> is an AsyncDisposable', async () => {
  let isOver = false;
  const held: AsyncDisposable = {
    [asyncDispose]: async () => {
      isOver = true;
    },
  };
  await held[asyncDispose]();
  expect(isOver).toBe(true);
  expect(asyncDispose).toBe(Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose'));
});
