/** Names that product code may not use: the clock, timers, randomness, and `async` in the pure parts. */
import ts from 'typescript';
import { type Finding, findingAt, isIn, isProduct, type Source, walk } from './source.js';

/** The one place that may touch the machine's time. */
const clockFile = 'src/base/clock.ts';

/** Members of globals that make a run unrepeatable. */
const bannedMembers: Readonly<Record<string, readonly string[]>> = {
  Date: ['now'],
  performance: ['now', 'timeOrigin'],
  Math: ['random'],
  process: ['nextTick', 'hrtime'],
  AbortSignal: ['timeout'],
};

const bannedGlobals = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'];
const globalObjects = ['globalThis', 'global', 'window', 'self'];

export function checkClocks(files: readonly Source[]): Finding[] {
  return files
    .filter((file) => isProduct(file) && file.path !== clockFile)
    .flatMap((file) => {
      const findings: Finding[] = [];
      walk(file, (node) => {
        const name = bannedName(node);
        if (name !== undefined) {
          findings.push(findingAt(file, node, `${name} belongs in ${clockFile} alone`));
        }
      });
      return findings;
    });
}

function bannedName(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) || ts.isCallExpression(node)) {
    return nameOf(node.expression) === 'Date' ? 'Date' : undefined;
  }
  if (ts.isPropertyAccessExpression(node)) return bannedMember(node.expression, node.name.text);
  if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
    return bannedMember(node.expression, node.argumentExpression.text);
  }
  if (ts.isBindingElement(node)) return bannedBinding(node);
  if (ts.isIdentifier(node) && bannedGlobals.includes(node.text) && !isMemberName(node)) {
    return node.text;
  }
  return undefined;
}

function bannedMember(object: ts.Expression, member: string): string | undefined {
  const name = nameOf(object);
  if (name === undefined) return undefined;
  if (globalObjects.includes(name) && bannedGlobals.includes(member)) return `${name}.${member}`;
  return bannedMembers[name]?.includes(member) ? `${name}.${member}` : undefined;
}

/** `const { now } = Date` is `Date.now` in other clothes. */
function bannedBinding(element: ts.BindingElement): string | undefined {
  const declaration = element.parent.parent;
  if (!ts.isVariableDeclaration(declaration) || declaration.initializer === undefined) {
    return undefined;
  }
  const member = element.propertyName ?? element.name;
  return ts.isIdentifier(member) ? bannedMember(declaration.initializer, member.text) : undefined;
}

/** The last word of `Date`, `globalThis.Date`. */
function nameOf(expression: ts.Expression): string | undefined {
  if (ts.isIdentifier(expression)) return expression.text;
  if (!ts.isPropertyAccessExpression(expression)) return undefined;
  const object = expression.expression;
  const isGlobal = ts.isIdentifier(object) && globalObjects.includes(object.text);
  return isGlobal ? expression.name.text : undefined;
}

/** Whether the identifier only names a member, as in `timers.setTimeout` or `{ setTimeout(): void }`. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isBindingElement(parent)) return parent.propertyName === node;
  const isMember =
    ts.isPropertySignature(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isPropertyAssignment(parent);
  return isMember && parent.name === node;
}

/** The core and the keyspace decide; waiting is the driver's business. */
export function checkAsync(files: readonly Source[]): Finding[] {
  return files
    .filter((file) => isIn('src/raft', file) || isIn('src/mvcc', file))
    .flatMap((file) => {
      const findings: Finding[] = [];
      walk(file, (node) => {
        if (isAsync(node)) findings.push(findingAt(file, node, 'no async in the pure parts'));
      });
      return findings;
    });
}

function isAsync(node: ts.Node): boolean {
  if (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)) return true;
  if (ts.isForOfStatement(node)) return node.awaitModifier !== undefined;
  if (ts.isNewExpression(node)) return nameOf(node.expression) === 'Promise';
  return ts.isPropertyAccessExpression(node) && nameOf(node.expression) === 'Promise';
}

export function checkDefaultExports(files: readonly Source[]): Finding[] {
  return files.filter(isProduct).flatMap((file) => {
    const findings: Finding[] = [];
    walk(file, (node) => {
      if (isDefaultExport(node)) findings.push(findingAt(file, node, 'export by name'));
    });
    return findings;
  });
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportSpecifier(node)) return node.name.text === 'default';
  return node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent);
}
