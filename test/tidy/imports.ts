/** The import table: which folder of `src` may import which folder, which package and which built-in. */
import { posix } from 'node:path';
import ts from 'typescript';
import { type Finding, findingAt, isProduct, type Source, walk } from './source.js';

interface Row {
  /** Folders it may import at run time; its own folder is always allowed. */
  readonly values?: readonly string[];
  /** Folders it may import with `import type` only. */
  readonly types?: readonly string[];
  /** Folders it may load with `import()` only, when they are needed. */
  readonly lazy?: readonly string[];
  /** npm packages and `node:` built-ins; `node:*` is every built-in. */
  readonly packages?: readonly string[];
  /** Adapters it may load, see `adapters`. */
  readonly adapters?: readonly string[];
}

/**
 * Folders that load a native addon, a socket or a file system. Nothing but the wiring imports them,
 * else the small entry points beside them would drag the weight in.
 */
const adapters = ['storage/node-fs', 'storage/classic-level', 'storage/level', 'transport/tcp'];

const lowerFolders = [
  'base',
  'raft',
  'mvcc',
  'codec',
  'storage',
  'transport',
  'node',
  'backup',
  'store',
];

/** The most exact row wins: `storage/wal` before `storage`. Rows do not inherit. */
const table: Readonly<Record<string, Row>> = {
  base: {},
  raft: { values: ['base'] },
  mvcc: { values: ['base'] },
  codec: { values: ['base'], types: ['raft', 'mvcc'], packages: ['msgpackr'] },
  storage: { values: ['base', 'codec'], types: ['raft', 'mvcc'] },
  'storage/classic-level': {
    values: ['base', 'codec'],
    types: ['raft', 'mvcc'],
    packages: ['classic-level'],
  },
  'storage/level': { values: ['base', 'codec'], types: ['raft', 'mvcc'], packages: ['level'] },
  'storage/node-fs': { values: ['base', 'codec'], types: ['raft', 'mvcc'], packages: ['node:*'] },
  transport: { values: ['base', 'codec'], types: ['raft'] },
  'transport/tcp': {
    values: ['base', 'codec'],
    types: ['raft'],
    packages: ['node:crypto', 'node:dns', 'node:fs', 'node:net', 'node:tls'],
  },
  node: {
    values: ['base', 'raft', 'codec'],
    types: ['storage', 'transport'],
    packages: ['eventemitter3'],
  },
  backup: { values: ['base', 'codec', 'mvcc', 'storage'] },
  store: { values: ['base', 'backup', 'codec', 'mvcc', 'node'], packages: ['eventemitter3'] },
  assembly: { values: lowerFolders, packages: ['eventemitter3'] },
  preset: { values: [...lowerFolders, 'assembly'], packages: ['node:*'], adapters },
  concurrency: { values: ['base'], types: ['store'] },
  server: {
    values: ['base', 'store', 'concurrency', 'node'],
    types: ['mvcc'],
    packages: ['@grpc/grpc-js', 'prom-client', 'node:*'],
  },
  cli: {
    values: ['base', 'server', 'preset', 'backup', 'storage', 'mvcc'],
    // One command needs the simulator; the others start without it.
    types: ['testing'],
    lazy: ['testing'],
    packages: ['node:util', 'node:process'],
    adapters,
  },
  testing: { values: [...lowerFolders, 'assembly', 'concurrency'], adapters: ['storage/level'] },
  'testing/fast-check': { values: lowerFolders, packages: ['fast-check'] },
  'index.ts': { values: [...lowerFolders, 'assembly', 'preset'] },
};

interface Import {
  readonly node: ts.Node;
  readonly specifier: string;
  readonly isTypeOnly: boolean;
  readonly isLazy: boolean;
}

export function checkImports(files: readonly Source[]): Finding[] {
  return files.filter(isProduct).flatMap((file) => {
    const rowName = rowNameOf(file.path);
    if (rowName === undefined) {
      return [{ path: file.path, line: 1, message: 'this folder has no row in the import table' }];
    }
    return importsOf(file).flatMap((found) => {
      const message = checkImport(file.path, rowName, found);
      return message === undefined ? [] : [findingAt(file, found.node, message)];
    });
  });
}

function checkImport(path: string, rowName: string, found: Import): string | undefined {
  if (!found.specifier.startsWith('.')) return checkPackage(rowName, found.specifier);
  if (!found.specifier.endsWith('.js')) return `'${found.specifier}' must end in .js`;
  const target = posix.join(posix.dirname(path), found.specifier);
  if (!target.startsWith('src/')) return `'${found.specifier}' leaves src`;
  if (found.isLazy && table[rowName]?.lazy?.includes(folderOf(target))) return undefined;
  return checkFolder(rowName, target, found.isTypeOnly);
}

function checkPackage(rowName: string, specifier: string): string | undefined {
  const allowed = table[rowName]?.packages ?? [];
  const name = packageOf(specifier);
  if (/^node:timers(\/|$)/.test(specifier)) return `${specifier} is a way around base/clock.ts`;
  if (allowed.includes(name)) return undefined;
  if (name.startsWith('node:') && allowed.includes('node:*')) return undefined;
  return `${rowName} may not import the package '${specifier}'`;
}

function checkFolder(rowName: string, target: string, isTypeOnly: boolean): string | undefined {
  const row = table[rowName]!;
  const folder = folderOf(target);
  const own = folderOf(`src/${rowName}`);
  if (isTypeOnly && row.types?.includes(folder)) return undefined;
  if (folder !== own && !row.values?.includes(folder)) {
    const only = row.types?.includes(folder) ? ' other than with `import type`' : '';
    return `${rowName} may not import ${folder}${only}`;
  }
  if (isTypeOnly) return undefined;
  if ((own === 'raft' || own === 'mvcc') && target === 'src/base/clock.js') {
    return `${rowName} may not see a clock`;
  }
  const adapter = adapters.find((name) => target.startsWith(`src/${name}/`));
  if (adapter === undefined || adapter === rowName || row.adapters?.includes(adapter)) {
    return undefined;
  }
  return `${rowName} may not load the adapter ${adapter}`;
}

function rowNameOf(path: string): string | undefined {
  const parts = path.split('/').slice(1);
  const nested = parts.slice(0, 2).join('/');
  if (parts.length > 2 && nested in table) return nested;
  const first = parts[0]!;
  return first in table ? first : undefined;
}

function folderOf(path: string): string {
  const first = path.split('/')[1]!;
  return first === 'index.js' ? 'index.ts' : first;
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
}

function importsOf(file: Source): Import[] {
  const found: Import[] = [];
  walk(file, (node) => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) {
      const isLazy =
        ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
      found.push({ node, specifier, isTypeOnly: isErased(node), isLazy });
    }
  });
  return found;
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return textOf(node.moduleSpecifier);
  }
  if (ts.isImportTypeNode(node)) {
    return ts.isLiteralTypeNode(node.argument) ? textOf(node.argument.literal) : undefined;
  }
  if (ts.isExternalModuleReference(node)) return textOf(node.expression);
  if (!ts.isCallExpression(node)) return undefined;
  const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword;
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require';
  if (!isImport && !isRequire) return undefined;
  return textOf(node.arguments[0]) ?? 'a computed name';
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}

/**
 * Whether the statement leaves nothing in the emitted JavaScript. `import { type A }` does leave an
 * import under `verbatimModuleSyntax`; only `import type` is erased whole.
 */
function isErased(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  if (ts.isImportDeclaration(node)) return node.importClause?.isTypeOnly ?? false;
  return false;
}

/** The root only re-exports: code there would belong to no layer. */
export function checkRootIsReExports(files: readonly Source[]): Finding[] {
  return files
    .filter((file) => file.path === 'src/index.ts')
    .flatMap((file) => {
      const findings: Finding[] = [];
      walk(file, (node) => {
        if (!ts.isSourceFile(node.parent ?? node) || ts.isSourceFile(node)) return;
        if (node.kind === ts.SyntaxKind.EndOfFileToken) return;
        if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) return;
        findings.push(findingAt(file, node, 'src/index.ts may hold nothing but re-exports'));
      });
      return findings;
    });
}
