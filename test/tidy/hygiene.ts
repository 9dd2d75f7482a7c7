/** Names of files, open ends in comments, skipped tests, and traces of one machine. */
import { posix } from 'node:path';
import ts from 'typescript';
import {
  checkLines,
  type Finding,
  findingAt,
  isScript,
  isTest,
  lineOf,
  parse,
  type Source,
  walk,
} from './source.js';

const vagueNames = /^(utils?|helpers?|common|misc|shared)$/;
const goodName = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|bench|d))*$/;

export function checkFileNames(files: readonly Source[]): Finding[] {
  return files.filter(isScript).flatMap(({ path }) => {
    const name = posix.basename(path).replace(/\.(ts|mts|mjs|js)$/, '');
    const found = (message: string): Finding[] => [{ path, line: 1, message }];
    if (vagueNames.test(name)) return found('name the file after the one thing it holds');
    return goodName.test(name) ? [] : found('file names are in kebab-case');
  });
}

/** An open end that no issue knows of is never closed. */
export function checkOpenEnds(files: readonly Source[]): Finding[] {
  return files.filter(isScript).flatMap((file) => {
    const tree = parse(file);
    return commentsOf(tree).flatMap((comment) =>
      [...comment.text.matchAll(/\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\):)/g)].map((found) => ({
        path: file.path,
        line: lineOf(tree, comment.offset + found.index),
        message: `${found[1]} without an issue, write TODO(#123):`,
      })),
    );
  });
}

interface Comment {
  readonly offset: number;
  readonly text: string;
}

/** Comments found from the tokens of the tree, so that strings and templates are never mistaken. */
function commentsOf(tree: ts.SourceFile): Comment[] {
  const found = new Map<number, Comment>();
  const add = (range: ts.CommentRange): void => {
    found.set(range.pos, { offset: range.pos, text: tree.text.slice(range.pos, range.end) });
  };
  const step = (node: ts.Node): void => {
    if (!ts.isTokenKind(node.kind)) {
      for (const child of node.getChildren(tree)) step(child);
      return;
    }
    ts.getLeadingCommentRanges(tree.text, node.pos)?.forEach(add);
    ts.getTrailingCommentRanges(tree.text, node.end)?.forEach(add);
  };
  step(tree);
  return [...found.values()];
}

const skipNames = ['skip', 'skipIf', 'runIf', 'todo', 'fails'];
const reasonInTitle = /\((skipped|fails) (unless|when|because|until) [^)]{3,}\)/;

/**
 * A skipped test says why, where the report shows it: `context.skip(condition, 'reason')`, or a title
 * that ends in `(skipped unless etcd is on the PATH)`.
 */
export function checkSkips(files: readonly Source[]): Finding[] {
  return files.filter(isTest).flatMap((file) => {
    const findings: Finding[] = [];
    walk(file, (node) => {
      if (!ts.isPropertyAccessExpression(node) || !skipNames.includes(node.name.text)) return;
      const base = node.expression.getText();
      const isRunner = /^(test|it|describe|suite|bench)\b/.test(base);
      const isContext = /^(ctx|context|t|task)$/.test(base) && node.name.text === 'skip';
      if (!isRunner && !isContext) return;
      const hasReason = isRunner ? titleHasReason(node) : noteHasReason(node);
      if (!hasReason) findings.push(findingAt(file, node, 'a skipped test must give its reason'));
    });
    return findings;
  });
}

/** The title is the first string of the calls chained on: `test.skipIf(c)('title', ...)`. */
function titleHasReason(node: ts.Node): boolean {
  let outer = node.parent;
  while (ts.isCallExpression(outer) || ts.isPropertyAccessExpression(outer)) {
    const title = ts.isCallExpression(outer) ? outer.arguments[0] : undefined;
    if (title !== undefined && ts.isStringLiteralLike(title)) return reasonInTitle.test(title.text);
    if (title !== undefined && ts.isTemplateExpression(title)) {
      return reasonInTitle.test(title.getText());
    }
    outer = outer.parent;
  }
  return false;
}

function noteHasReason(node: ts.Node): boolean {
  const call = node.parent;
  if (!ts.isCallExpression(call)) return false;
  const note = call.arguments.at(-1);
  if (note === undefined) return false;
  return ts.isTemplateExpression(note) || (ts.isStringLiteralLike(note) && note.text.length > 3);
}

const hosts = /\b(registry|npm)\.[a-z0-9.-]*[a-z]{2,}(:\d+)?\/|\bnpmjs\.org\b/;
const folders = ['home', 'root', 'Users', 'work', 'workspace', 'tmp', 'mnt', 'opt', 'var', 'usr'];
const absolute = new RegExp(`(^|[\\s"'\`(=:,<])(/(${folders.join('|')})/[\\w.@-]|[A-Z]:\\\\\\w)`);

/** Nothing in the repository may depend on where it was written or where packages came from. */
export function checkMachineTraces(files: readonly Source[]): Finding[] {
  return checkLines(files, (line, number) => {
    if (number === 1 && line.startsWith('#!')) return undefined;
    if (hosts.test(line)) return 'names a package registry';
    if (absolute.test(line)) return 'holds an absolute path';
    return undefined;
  });
}

/** A lock file with download addresses ties an install to one registry. */
export function checkLockFile(files: readonly Source[]): Finding[] {
  const locks = files.filter((file) => file.path === 'package-lock.json');
  return checkLines(locks, (line) =>
    /^\s*"resolved":/.test(line) ? 'the lock file holds a download address' : undefined,
  );
}
