/** One rule broken on purpose: a piece of a source file, and what stands there instead. */
export interface Defect {
  /** What is wrong then, in a few words; unique. */
  readonly name: string;
  /** Below `src/raft`, or below `src` for simulations. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Why no test can tell it from the original, if none can. */
  readonly equivalent?: string;
}

/** `source` with the defect in it. */
export function withDefect(source: string, { name, file, find, replace }: Defect): string {
  const at = source.indexOf(find);
  if (at < 0) throw new Error(`${name}: not found in ${file}`);
  if (source.indexOf(find, at + 1) >= 0) throw new Error(`${name}: more than once in ${file}`);
  return source.slice(0, at) + replace + source.slice(at + find.length);
}
