/** A defect anywhere in the sources, for simulations of the whole stack to find. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Defect, withDefect } from '../defect.js';

/** A piece of a file, and what stands there instead. */
export type Edit = Pick<Defect, 'file' | 'find' | 'replace'>;

/** Files are below `src`. */
export interface SimDefect extends Defect {
  /** The incident or rule behind it: an etcd issue of reliability §2, an invariant of §4, a decision. */
  readonly source: string;
  /** Name of the profile whose seeds look for it; default `standard`. */
  readonly profile?: string | undefined;
  /** The test that kills it, and why seeds hardly get there; it is hunted all the same. */
  readonly elsewhere?: string | undefined;
  /** Further edits, where two rules guard against the same thing. */
  readonly also?: readonly Edit[] | undefined;
}

/** Every edit of a defect, as defects of their own. */
export function editsOf({ also = [], ...defect }: SimDefect): readonly Defect[] {
  return [defect, ...also.map((edit) => ({ name: defect.name, ...edit }))];
}

/**
 * Breaks the copy of the project in `dir`.
 *
 * @returns makes it whole again
 */
export async function breakCopy(dir: string, defect: SimDefect): Promise<() => Promise<void>> {
  const before = new Map<string, string>();
  for (const edit of editsOf(defect)) {
    const path = join(dir, 'src', edit.file);
    const source = await readFile(path, 'utf8');
    if (!before.has(path)) before.set(path, source);
    await writeFile(path, withDefect(source, edit));
  }
  return async () => {
    for (const [path, source] of before) await writeFile(path, source);
  };
}
