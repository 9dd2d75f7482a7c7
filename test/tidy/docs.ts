/** Every name a user can import has a docstring that says what it is and since when. */
import { posix } from 'node:path';
import ts from 'typescript';
import { type Finding, isProduct, lineOf, parse, type Source } from './source.js';

const options: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  target: ts.ScriptTarget.ES2022,
  noLib: true,
  types: [],
};

/** `entryPaths` are the `index.ts` files of the entry points; those not among `files` are skipped. */
export function checkDocs(files: readonly Source[], entryPaths: readonly string[]): Finding[] {
  const product = new Map(files.filter(isProduct).map((file) => [file.path, file]));
  const program = ts.createProgram({
    rootNames: entryPaths.filter((path) => product.has(path)),
    options,
    host: hostOf(product),
  });
  const seen = new Set<ts.Symbol>();
  const findings: Finding[] = [];
  for (const path of program.getRootFileNames()) {
    const tree = program.getSourceFile(path)!;
    checkModule(program.getTypeChecker(), tree, seen, findings);
  }
  return findings;
}

function checkModule(
  checker: ts.TypeChecker,
  tree: ts.SourceFile,
  seen: Set<ts.Symbol>,
  findings: Finding[],
): void {
  const module = checker.getSymbolAtLocation(tree);
  for (const exported of module === undefined ? [] : checker.getExportsOfModule(module)) {
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0;
    const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported;
    if (seen.has(symbol)) continue;
    seen.add(symbol);
    for (const namespace of symbol.declarations?.filter(ts.isSourceFile) ?? []) {
      checkModule(checker, namespace, seen, findings);
    }
    const message = missing(symbol);
    if (message === undefined) continue;
    const place = symbol.declarations![0]!;
    const source = place.getSourceFile();
    const line = lineOf(source, place.getStart(source));
    findings.push({ path: source.fileName, line, message: `${exported.name} ${message}` });
  }
}

/** What the docstring lacks. Names of other packages and whole namespaces are not ours to describe. */
function missing(symbol: ts.Symbol): string | undefined {
  const declarations = symbol.declarations?.filter((place) => !ts.isSourceFile(place)) ?? [];
  if (declarations.length === 0) return undefined;
  const since = declarations.flatMap(ts.getJSDocTags).filter((tag) => tag.tagName.text === 'since');
  if (!declarations.some(hasDocstring)) return 'has no docstring';
  if (since.length === 0) return 'has no @since in its docstring';
  return since.some((tag) => /^\d+\.\d+\.\d+/.test(ts.getTextOfJSDocComment(tag.comment) ?? ''))
    ? undefined
    : 'has an @since without a version';
}

function hasDocstring(declaration: ts.Declaration): boolean {
  return ts.getJSDocCommentsAndTags(declaration).some(ts.isJSDoc);
}

/** A compiler host that sees the given files and nothing else. */
function hostOf(product: ReadonlyMap<string, Source>): ts.CompilerHost {
  const find = (path: string): Source | undefined => product.get(posix.normalize(path));
  return {
    fileExists: (path) => find(path) !== undefined,
    readFile: (path) => find(path)?.text,
    getSourceFile: (path) => {
      const file = find(path);
      return file === undefined ? undefined : parse(file);
    },
    writeFile: () => {},
    getDefaultLibFileName: () => 'lib.d.ts',
    getCurrentDirectory: () => '',
    getCanonicalFileName: (path) => path,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
  };
}
