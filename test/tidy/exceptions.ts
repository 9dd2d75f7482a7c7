/**
 * Files that may break a rule for now. The list only shrinks: an entry that excuses more findings than
 * there are fails the test, and nothing new is added to it.
 */
import type { Finding } from './source.js';

export interface Exception {
  readonly rule: string;
  readonly path: string;
  /** How many findings of the rule this file has. */
  readonly count: number;
  readonly reason: string;
}

export const exceptions: readonly Exception[] = [];

/** The findings that no exception covers, and the exceptions that cover too much, as lines to print. */
export function report(
  rule: string,
  findings: readonly Finding[],
  allowed: readonly Exception[] = exceptions,
): string[] {
  const lines: string[] = [];
  const own = allowed.filter((exception) => exception.rule === rule);
  const excused = new Set<string>();
  for (const { path, count } of own) {
    const found = findings.filter((finding) => finding.path === path).length;
    if (found <= count) excused.add(path);
    if (found < count) lines.push(`${path} stale exception: allows ${count}, found ${found}`);
  }
  for (const { path, line, message } of [...findings].sort(byPlace)) {
    if (!excused.has(path)) lines.push(`${path}:${line} ${message}`);
  }
  return lines;
}

function byPlace(a: Finding, b: Finding): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.line - b.line;
}
