/** What every tidy rule works on: repository files as text, parsed on demand, and the findings in them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export interface Source {
  /** Relative to the repository root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Finding {
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

export const root = fileURLToPath(new URL('../../', import.meta.url));

const binaryEndings = /\.(png|jpg|gif|ico|gz|tgz|zip|wasm|bin|wal|ldb|sst)$/;

/** Every file that git tracks or would track, so that a forgotten `git add` hides nothing. */
export function readRepository(): Source[] {
  const listing = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 },
  );
  return listing
    .split('\0')
    .filter((path) => path !== '' && !binaryEndings.test(path))
    .filter((path) => existsSync(root + path) && statSync(root + path).isFile())
    .map((path) => ({ path, text: readFileSync(root + path, 'utf8') }));
}

export const isScript = (file: Source): boolean => /\.(ts|mts|mjs|js)$/.test(file.path);
export const isIn = (folder: string, file: Source): boolean => file.path.startsWith(`${folder}/`);
export const isTest = (file: Source): boolean => isIn('test', file);
export const isProduct = (file: Source): boolean => isIn('src', file);

const parsed = new WeakMap<Source, ts.SourceFile>();

export function parse(file: Source): ts.SourceFile {
  let tree = parsed.get(file);
  if (tree === undefined) {
    tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2022, true);
    parsed.set(file, tree);
  }
  return tree;
}

/** Calls `visit` for every node of the file, parents before children. */
export function walk(file: Source, visit: (node: ts.Node) => void): void {
  const step = (node: ts.Node): void => {
    visit(node);
    ts.forEachChild(node, step);
  };
  step(parse(file));
}

export function findingAt(file: Source, node: ts.Node, message: string): Finding {
  const tree = parse(file);
  return { path: file.path, line: lineOf(tree, node.getStart(tree)), message };
}

/** 1-based line of a character offset. */
export function lineOf(tree: ts.SourceFile, offset: number): number {
  return tree.getLineAndCharacterOfPosition(offset).line + 1;
}

export function lineCount(text: string): number {
  const lines = text.split('\n').length;
  return text.endsWith('\n') ? lines - 1 : lines;
}

/** Runs `check` over each line of each file. */
export function checkLines(
  files: readonly Source[],
  check: (line: string, lineNumber: number) => string | undefined,
): Finding[] {
  return files.flatMap((file) =>
    file.text.split('\n').flatMap((text, at) => {
      const message = check(text, at + 1);
      return message === undefined ? [] : [{ path: file.path, line: at + 1, message }];
    }),
  );
}
