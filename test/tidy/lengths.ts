/** How long a file and a function may be. */
import ts from 'typescript';
import {
  type Finding,
  isIn,
  isProduct,
  isScript,
  isTest,
  lineCount,
  lineOf,
  parse,
  type Source,
  walk,
} from './source.js';

export const fileLinesMax = 500;
export const testFileLinesMax = 800;
export const functionLinesMax = 70;

const ownFolders = ['examples', 'bench', 'scripts'];

const isOwn = (file: Source): boolean =>
  isScript(file) &&
  (isProduct(file) || isTest(file) || ownFolders.some((folder) => isIn(folder, file)));

export function checkFileLengths(files: readonly Source[]): Finding[] {
  return files.filter(isOwn).flatMap((file) => {
    const lines = lineCount(file.text);
    const linesMax = isTest(file) ? testFileLinesMax : fileLinesMax;
    if (lines <= linesMax || isTypeOnly(parse(file))) return [];
    return [
      { path: file.path, line: linesMax + 1, message: `${lines} lines, at most ${linesMax}` },
    ];
  });
}

/** Whether the file emits no JavaScript: a table of types may be as long as it is. */
function isTypeOnly(tree: ts.SourceFile): boolean {
  return tree.statements.every(
    (statement) =>
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement) ||
      (ts.isImportDeclaration(statement) && statement.importClause?.isTypeOnly === true) ||
      (ts.isExportDeclaration(statement) && statement.isTypeOnly),
  );
}

export function checkFunctionLengths(files: readonly Source[]): Finding[] {
  return files.filter(isOwn).flatMap((file) => {
    const tree = parse(file);
    const findings: Finding[] = [];
    walk(file, (node) => {
      if (!isFunction(node) || (isTest(file) && isDescribeCallback(node))) return;
      const line = lineOf(tree, node.getStart(tree));
      const lines = lineOf(tree, node.end) - line + 1;
      if (lines <= functionLinesMax) return;
      const message = `${nameOf(node)} has ${lines} lines, at most ${functionLinesMax}`;
      findings.push({ path: file.path, line, message });
    });
    return findings;
  });
}

function isFunction(node: ts.Node): node is ts.FunctionLikeDeclaration {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;
}

function isDescribeCallback(node: ts.Node): boolean {
  const call = node.parent;
  if (!ts.isCallExpression(call)) return false;
  return /^describe\b/.test(call.expression.getText());
}

function nameOf(node: ts.FunctionLikeDeclaration): string {
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  if (node.name !== undefined) return node.name.getText();
  const { parent } = node;
  const isNamed = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent);
  return isNamed ? parent.name.getText() : 'a function';
}
