// Goal: the reader of scenario files takes the grammar as it is, and refuses what is none.
import { describe, expect, test } from 'vitest';
import { parseDirectives, runDirectives, valuesOf } from './datadriven.js';

const parseOne = (...lines: string[]) => parseDirectives('file', lines.join('\n'))[0]!;

describe('datadriven', () => {
  test('comments, blank lines, input, expected -> directives with their lines', () => {
    const text = [
      '# why',
      '',
      'first',
      '----',
      'ok',
      '',
      '# more',
      'second 2',
      ' in',
      'put',
      '----',
    ];
    expect(parseDirectives('file', text.join('\n'))).toEqual([
      { line: 3, command: 'first', args: [], input: '', expected: 'ok\n' },
      {
        line: 8,
        command: 'second',
        args: [{ key: '2', values: [] }],
        input: 'in\nput',
        expected: '',
      },
    ]);
  });

  test('arguments -> words, single values, lists, nested lists', () => {
    const { args } = parseOne('do 1 "foo" a=b empty= last=(x, y,(1,2)) none=() q="z"', '----');
    expect(args).toEqual([
      { key: '1', values: [] },
      { key: '"foo"', values: [] },
      { key: 'a', values: ['b'] },
      { key: 'empty', values: [''] },
      { key: 'last', values: ['x', 'y', '(1,2)'] },
      { key: 'none', values: [] },
      { key: 'q', values: ['"z"'] },
    ]);
  });

  test('an argument by name -> its values, or undefined', () => {
    const directive = parseOne('do drop=3 drop2=(4)', '----');
    expect(valuesOf(directive, 'drop')).toEqual(['3']);
    expect(valuesOf(directive, 'drop2')).toEqual(['4']);
    expect(valuesOf(directive, 'dro')).toBeUndefined();
  });

  test('a line that ends in a backslash -> goes on in the next one', () => {
    const { args, input } = parseOne('do a=1 \\', '  b=2', 'input', '----', 'x');
    expect(args.map(({ key }) => key)).toEqual(['a', 'b']);
    expect(input).toBe('input');
  });

  test('a doubled separator -> the expected text may hold blank lines', () => {
    const text = ['do', '----', '----', 'a', '', 'b', '----', '----', '', 'next', '----', 'c'];
    const directives = parseDirectives('file', text.join('\n'));
    expect(directives.map(({ expected }) => expected)).toEqual(['a\n\nb\n', 'c\n']);
  });

  test.each([
    [['do', 'input'], 'file:1: no ----'],
    [['', 'do a=(1', '----'], 'file:2: ( without )'],
    [['do', '----', '----', 'a'], 'file:1: the doubled ---- is not closed'],
  ])('%j -> refused with its place', (lines, message) => {
    expect(() => parseOne(...lines)).toThrow(message);
  });

  test('another output than expected -> fails there, with the place, and runs no further', () => {
    const ran: string[] = [];
    const text = ['one', '----', 'ok', '', 'two', '----', 'ok', '', 'three', '----', 'ok'];
    const run = (): void =>
      runDirectives('file', text.join('\n'), ({ command }) => {
        ran.push(command);
        return command === 'one' ? 'ok' : 'no';
      });
    expect(run).toThrow('file:5: two');
    expect(ran).toEqual(['one', 'two']);
  });
});
