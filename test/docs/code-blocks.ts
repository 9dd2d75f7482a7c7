/**
 * The TypeScript of the documentation, put through the compiler as a reader's own would be.
 *
 * A block stands for a piece of a program: what it does not declare itself is taken from stand-ins that
 * the test names, from an earlier block of its page, or from the entry points, in this order.
 */
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { entryFolders } from '../../tsup.config.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where the blocks seem to be; there is no such folder. */
const blocksDir = `${root}docs-blocks`;

export interface CodeBlock {
  /** Path of the page, from the root. */
  readonly page: string;
  /** Of its first line on the page. */
  readonly line: number;
  readonly text: string;
}

/** All blocks of a page that are TypeScript. */
export function codeBlocks(page: string): CodeBlock[] {
  const markdown = readFileSync(`${root}${page}`, 'utf8');
  return [...markdown.matchAll(/^```ts\n(.*?)^```/gms)].map(({ 1: text = '', index }) => {
    return { page, line: markdown.slice(0, index).split('\n').length + 1, text };
  });
}

/**
 * @param blocks - of all pages, those of a page in their order
 * @param standIns - name -> the statement that declares it, or `page#name` for one page alone
 * @returns what the compiler says of them, each with page and line
 */
export function complaintsAbout(
  blocks: readonly CodeBlock[],
  standIns: Readonly<Record<string, string>>,
): string[] {
  const compiler = new Compiler();
  const entryOf = compiler.exportedNames();
  const names = blocks.map(({ text }) => namesOf(text));
  const pathOf = (nth: number) =>
    `${blocksDir}/${blocks[nth]?.page.replaceAll('/', '-')}/${nth}.ts`;
  blocks.forEach(({ page, text }, nth) => {
    const { declared, used } = names[nth]!;
    const head = used.map((name) => {
      const standIn = standIns[`${page}#${name}`] ?? standIns[name];
      if (standIn !== undefined) return standIn;
      const isEarlier = (each: CodeBlock, at: number) =>
        at < nth && each.page === page && names[at]?.declared.includes(name);
      const earlier = blocks.findIndex(isEarlier);
      const from = earlier < 0 ? entryOf.get(name) : `./${earlier}.js`;
      return from === undefined ? '' : `import { ${name} } from '${from}';`;
    });
    const inner = declared.filter((name) => !new RegExp(`^export \\w+ ${name}\\b`, 'm').test(text));
    // Ahead on the same line: lines stay those of the page.
    compiler.add(pathOf(nth), `${head.join(' ')} ${text}\nexport { ${inner.join(', ')} };`);
    // A page may import a block by the name of what it exports.
    for (const [, name = ''] of text.matchAll(/^export const (\w+)/gm)) {
      compiler.add(`${dirname(pathOf(nth))}/${name}.ts`, `export * from './${nth}.js';`);
    }
  });
  return compiler.complaints(blocks.map((_, nth) => pathOf(nth))).map(({ path, line, message }) => {
    const block = blocks.find((_, nth) => pathOf(nth) === path);
    return `${block?.page}:${(block?.line ?? 0) + line}: ${message}`;
  });
}

/** What a text declares at its top, and the other names in it that something else may have declared. */
function namesOf(text: string): { readonly declared: string[]; readonly used: string[] } {
  const declared: string[] = [];
  const known = new Set<string>();
  const used = new Set<string>();
  const file = ts.createSourceFile('block.ts', text, ts.ScriptTarget.ES2022, true);
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node;
      const isField = ts.isPropertyAccessExpression(parent) && parent.name === node;
      if (ts.isImportSpecifier(parent)) known.add(parent.name.text);
      else if (isTopDeclaration(parent) && parent.name === node) declared.push(node.text);
      else if (!isField && !(ts.isPropertyAssignment(parent) && parent.name === node))
        used.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  const isOpen = (name: string) => !known.has(name) && !declared.includes(name);
  return { declared, used: [...used].filter(isOpen) };
}

function isTopDeclaration(node: ts.Node): node is ts.NamedDeclaration {
  if (ts.isVariableDeclaration(node)) {
    const statement = node.parent.parent;
    return ts.isVariableStatement(statement) && ts.isSourceFile(statement.parent);
  }
  if (ts.isBindingElement(node)) {
    const { parent } = node.parent;
    return ts.isVariableDeclaration(parent) && isTopDeclaration(parent);
  }
  const isNamed =
    ts.isClassDeclaration(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isTypeAliasDeclaration(node);
  return isNamed && ts.isSourceFile(node.parent);
}

interface Complaint {
  readonly path: string;
  /** From 0. */
  readonly line: number;
  readonly message: string;
}

/** The compiler over modules that are nowhere but here, beside those of the project. */
class Compiler {
  readonly #modules = new Map<string, string>();
  readonly #files = new Map<string, ts.SourceFile | undefined>();
  readonly #options: ts.CompilerOptions;
  readonly #host: ts.CompilerHost;

  constructor() {
    const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, root);
    const paths = { kontiki: [entryPath('')], 'kontiki/*': [entryPath('*')] };
    this.#options = { ...options, isolatedModules: false, verbatimModuleSyntax: false, paths };
    const host = ts.createCompilerHost(this.#options);
    const { directoryExists, fileExists, getSourceFile } = host;
    host.directoryExists = (path) => path.startsWith(blocksDir) || directoryExists!(path);
    host.fileExists = (path) => this.#modules.has(path) || fileExists(path);
    host.getSourceFile = (path, version) => {
      const text = this.#modules.get(path);
      if (text !== undefined) return ts.createSourceFile(path, text, version, true);
      if (!this.#files.has(path)) this.#files.set(path, getSourceFile(path, version));
      return this.#files.get(path);
    };
    this.#host = host;
  }

  /** The first module of a path counts. */
  add(path: string, text: string): void {
    if (!this.#modules.has(path)) this.#modules.set(path, text);
  }

  /** Name -> the first entry point that exports it. */
  exportedNames(): Map<string, string> {
    const program = ts.createProgram(entryFolders.map(entryPath), this.#options, this.#host);
    const checker = program.getTypeChecker();
    const names = new Map<string, string>();
    for (const folder of entryFolders) {
      const file = program.getSourceFile(entryPath(folder));
      const symbol = file && checker.getSymbolAtLocation(file);
      const entry = folder === '' ? 'kontiki' : `kontiki/${folder}`;
      for (const { name } of symbol ? checker.getExportsOfModule(symbol) : []) {
        if (!names.has(name)) names.set(name, entry);
      }
    }
    return names;
  }

  complaints(paths: readonly string[]): Complaint[] {
    const program = ts.createProgram([...this.#modules.keys()], this.#options, this.#host);
    return paths.flatMap((path) => {
      const file = program.getSourceFile(path)!;
      const found = [
        ...program.getSyntacticDiagnostics(file),
        ...program.getSemanticDiagnostics(file),
      ];
      return found.map(({ start = 0, messageText }) => ({
        path,
        line: file.getLineAndCharacterOfPosition(start).line,
        message: ts.flattenDiagnosticMessageText(messageText, ' '),
      }));
    });
  }
}

function entryPath(folder: string): string {
  return folder === '' ? `${root}src/index.ts` : `${root}src/${folder}/index.ts`;
}
