/**
 * Reader and runner of data-driven scenario files: commands, each followed by the output it is to
 * give. The grammar is that of the fixtures the core is compared with.
 *
 *     # a comment
 *     command plain key=value key=(one, two)
 *     input, any number of lines
 *     ----
 *     expected output, up to a blank line
 */
import { expect } from 'vitest';

export interface Argument {
  readonly key: string;
  /** Empty when the argument is a word alone. */
  readonly values: readonly string[];
}

export interface Directive {
  /** Of the command, from 1. */
  readonly line: number;
  readonly command: string;
  readonly args: readonly Argument[];
  /** Trimmed. */
  readonly input: string;
  /** Every line ends with a line feed; empty when nothing is expected. */
  readonly expected: string;
}

/** Values of the argument `key`; undefined when the directive has none of that name. */
export function valuesOf(directive: Directive, key: string): readonly string[] | undefined {
  return directive.args.find((argument) => argument.key === key)?.values;
}

/** Runs the directives in order and stops at the first output that is not the expected one. */
export function runDirectives(
  name: string,
  text: string,
  handle: (directive: Directive) => string,
): void {
  for (const directive of parseDirectives(name, text)) {
    const output = handle(directive);
    const actual = output === '' || output.endsWith('\n') ? output : `${output}\n`;
    expect(actual, `${name}:${directive.line}: ${directive.command}`).toBe(directive.expected);
  }
}

/** @throws {Error} with file and line, when the text is not of the grammar */
export function parseDirectives(name: string, text: string): Directive[] {
  const lines = new LineReader(text);
  const directives: Directive[] = [];
  for (;;) {
    const head = readHead(lines);
    if (head === undefined) return directives;
    const { line } = lines;
    const [, command, rest] = /^(\S+)(.*)$/.exec(head.text) as unknown as [string, string, string];
    const input = readInput(lines);
    if (input === undefined) throw new Error(`${name}:${head.line}: no ---- before line ${line}`);
    const args = parseArguments(rest, `${name}:${head.line}`);
    const expected = readExpected(lines, `${name}:${head.line}`);
    directives.push({ line: head.line, command, args, input, expected });
  }
}

const separator = '----';

class LineReader {
  readonly #lines: readonly string[];
  /** How many were taken, which is the number of the last one. */
  line = 0;

  constructor(text: string) {
    this.#lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split(/\r?\n/);
  }

  peek(ahead = 0): string | undefined {
    return this.#lines[this.line + ahead];
  }

  next(): string | undefined {
    const text = this.peek();
    if (text !== undefined) this.line += 1;
    return text;
  }
}

/** The next line that is neither blank nor a comment; one that ends in a backslash goes on. */
function readHead(lines: LineReader): { readonly line: number; readonly text: string } | undefined {
  for (let text = lines.next(); text !== undefined; text = lines.next()) {
    let whole = text.trim();
    if (whole === '' || whole.startsWith('#')) continue;
    const { line } = lines;
    while (whole.endsWith('\\')) {
      whole = `${whole.slice(0, -1).trimEnd()} ${(lines.next() ?? '').trim()}`;
    }
    return { line, text: whole };
  }
  return undefined;
}

function readInput(lines: LineReader): string | undefined {
  const input: string[] = [];
  for (let text = lines.next(); text !== undefined; text = lines.next()) {
    if (text === separator) return input.join('\n').trim();
    input.push(text);
  }
  return undefined;
}

function readExpected(lines: LineReader, place: string): string {
  let expected = '';
  if (lines.peek() === separator) {
    // A doubled separator allows blank lines; another doubled one ends the text.
    lines.next();
    while (lines.peek() !== separator || lines.peek(1) !== separator) {
      const text = lines.next();
      if (text === undefined) throw new Error(`${place}: the doubled ---- is not closed`);
      expected += `${text}\n`;
    }
    lines.next();
    lines.next();
    return expected;
  }
  for (let text = lines.next(); text !== undefined && text.trim() !== ''; text = lines.next()) {
    expected += `${text}\n`;
  }
  return expected;
}

function parseArguments(text: string, place: string): Argument[] {
  const args: Argument[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const key = (/^[^\s=]*/.exec(rest) as RegExpExecArray)[0];
    rest = rest.slice(key.length);
    if (!rest.startsWith('=')) {
      args.push({ key, values: [] });
    } else if (rest.startsWith('=(')) {
      const end = closingAt(rest, 1, place);
      args.push({ key, values: splitValues(rest.slice(2, end)) });
      rest = rest.slice(end + 1);
    } else {
      const value = (/^\S*/.exec(rest.slice(1)) as RegExpExecArray)[0];
      args.push({ key, values: [value] });
      rest = rest.slice(1 + value.length);
    }
    rest = rest.trimStart();
  }
  return args;
}

/** Where the parenthesis opened at `from` is closed. */
function closingAt(text: string, from: number, place: string): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
    if (depth === 0) return at;
  }
  throw new Error(`${place}: ( without )`);
}

/** Splits at the commas that no parenthesis encloses. */
function splitValues(text: string): string[] {
  if (text.trim() === '') return [];
  const values = [''];
  let depth = 0;
  for (const char of text) {
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    if (char === ',' && depth === 0) values.push('');
    else values.push(`${values.pop()}${char}`);
  }
  return values.map((value) => value.trim());
}
