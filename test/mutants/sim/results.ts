/**
 * What came of every hunt so far, in a file beside the report: runs of a part of the list, or of more
 * seeds, add to it, and one that was cut short goes on where it was.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Hunt } from './hunt.js';
import { editsOf, type SimDefect } from './sim-defect.js';

/** A hunt and how far it went. */
export interface KeptHunt extends Hunt {
  /** Of the range. */
  readonly first: number;
  /** Seeds that were run at most. */
  readonly count: number;
}

interface KeptDefect {
  /** Tells that the defect has become another one. */
  readonly edits: string;
  readonly hunts: readonly KeptHunt[];
}

/** Results by the name of the defect. */
export class Results {
  readonly #path: string;
  readonly #defects: Map<string, KeptDefect>;

  private constructor(path: string, defects: Map<string, KeptDefect>) {
    this.#path = path;
    this.#defects = defects;
  }

  /**
   * @param path - of the file, which need not exist
   * @param isFresh - begins with nothing
   */
  static async open(path: string, isFresh: boolean): Promise<Results> {
    const text = isFresh ? '{}' : await readFile(path, 'utf8').catch(() => '{}');
    return new Results(
      path,
      new Map(Object.entries(JSON.parse(text) as Record<string, KeptDefect>)),
    );
  }

  /** By range, in order. */
  huntsOf(defect: SimDefect): readonly KeptHunt[] {
    const kept = this.#defects.get(defect.name);
    return kept?.edits === editsHash(defect) ? kept.hunts : [];
  }

  /** The result of a range, if a hunt like this one is known to end the same. */
  find(defect: SimDefect, first: number, count: number): KeptHunt | undefined {
    const kept = this.huntsOf(defect).find((hunt) => hunt.first === first);
    if (kept === undefined) return undefined;
    return (kept.seeds ?? Infinity) <= count || kept.count >= count ? kept : undefined;
  }

  async add(defect: SimDefect, hunt: KeptHunt): Promise<void> {
    const others = this.huntsOf(defect).filter(({ first }) => first !== hunt.first);
    const hunts = [...others, hunt].sort((a, b) => a.first - b.first);
    this.#defects.set(defect.name, { edits: editsHash(defect), hunts });
    await mkdir(dirname(this.#path), { recursive: true });
    const kept = [...this.#defects].sort(([a], [b]) => (a < b ? -1 : 1));
    await writeFile(this.#path, `${JSON.stringify(Object.fromEntries(kept), undefined, 1)}\n`);
  }
}

function editsHash(defect: SimDefect): string {
  const edits = editsOf(defect).map(({ file, find, replace }) => [file, find, replace]);
  return createHash('sha256').update(JSON.stringify(edits)).digest('hex').slice(0, 12);
}
