/**
 * Names of a simulated disk: paths as processes see them, beside those the medium holds. Creating,
 * renaming and removing change the first; `syncDirectory` carries the operations of one folder over
 * to the second. At a power loss each other operation survives or not by chance, but none survives
 * an earlier one on the same name that did not. What lies in a folder whose own name was lost is gone.
 */
import { type Random, randomInt } from '../base/prng.js';
import { parentOf } from './disk-path.js';
import type { PagedFile } from './paged-file.js';

/**
 * What a path leads to.
 *
 * @since 0.1.0
 */
export type DiskNode = PagedFile | 'directory';

type Names = Map<string, DiskNode>;

/**
 * A change of names that waits to become durable.
 *
 * @since 0.1.0
 */
export type NameOperation =
  | { readonly kind: 'link'; readonly path: string; readonly node: DiskNode }
  | { readonly kind: 'unlink'; readonly path: string }
  | {
      readonly kind: 'rename';
      readonly path: string;
      readonly to: string;
      readonly node: DiskNode;
    };

/**
 * The paths of one disk. Paths are in normal form (`normalPath`).
 *
 * @since 0.1.0
 */
export class SimNamespace {
  #names: Names = new Map();
  #durable: Names = new Map();
  #pending: NameOperation[] = [];

  /** What is at `path`; the root is always a folder. */
  lookup(path: string): DiskNode | undefined {
    return path === '' ? 'directory' : this.#names.get(path);
  }

  /** Names directly in a folder, ascending by code unit. */
  children(folder: string): string[] {
    const prefix = folder === '' ? '' : `${folder}/`;
    const found: string[] = [];
    for (const path of this.#names.keys()) {
      if (parentOf(path) === folder) found.push(path.slice(prefix.length));
    }
    return found.sort();
  }

  /** Every file with its path. */
  files(): readonly (readonly [path: string, file: PagedFile])[] {
    const found: [string, PagedFile][] = [];
    for (const [path, node] of this.#names) if (node !== 'directory') found.push([path, node]);
    return found;
  }

  /** Changes names, durable later. */
  change(operation: NameOperation): void {
    applyTo(this.#names, operation);
    this.#pending.push(operation);
  }

  /**
   * Removes a file, or a folder with all that is in it, innermost names first.
   *
   * @returns what was done, in order
   */
  removeTree(path: string): readonly NameOperation[] {
    const inside = this.children(path).flatMap((name) => this.removeTree(`${path}/${name}`));
    const own: NameOperation = { kind: 'unlink', path };
    this.change(own);
    return [...inside, own];
  }

  /** What `syncDirectory` of a folder covers if called now, with all it rests on. */
  capture(folder: string): ReadonlySet<NameOperation> {
    const captured = new Set<NameOperation>();
    for (const operation of [...this.#pending].reverse()) {
      const own = namesOf(operation).some((path) => parentOf(path) === folder);
      if (own || [...captured].some((later) => restsOn(later, operation))) captured.add(operation);
    }
    return captured;
  }

  /** Makes captured operations durable. */
  settle(captured: ReadonlySet<NameOperation>): void {
    this.#pending = this.#pending.filter((operation) => {
      if (captured.has(operation)) applyTo(this.#durable, operation);
      return !captured.has(operation);
    });
  }

  /**
   * Loses power: names fall back to the durable ones and what survives by chance.
   *
   * @returns what came undone, in the order in which it was done: removals of names that are back, and
   *   what made others that are gone
   */
  crash(random: Random): readonly NameOperation[] {
    const mode = (['lost', 'kept', 'mixed', 'mixed'] as const)[randomInt(random, 4)]!;
    const lost: NameOperation[] = [];
    for (const operation of this.#pending) {
      const keep = mode === 'kept' || (mode === 'mixed' && randomInt(random, 2) === 1);
      if (keep && !lost.some((earlier) => restsOn(operation, earlier))) {
        applyTo(this.#durable, operation);
      } else {
        lost.push(operation);
      }
    }
    dropOrphans(this.#durable);
    this.#names = new Map(this.#durable);
    this.#pending = [];
    return lost.filter(({ kind, path }) => kind === (this.#names.has(path) ? 'unlink' : 'link'));
  }

  /** The same names with copies of the files, all of it durable. */
  copy(): SimNamespace {
    const copy = new SimNamespace();
    for (const [path, node] of this.#names) {
      copy.change({ kind: 'link', path, node: node === 'directory' ? node : node.copy() });
    }
    copy.settleAll();
    return copy;
  }

  /** Makes every name durable, as a volume found at the first boot is. */
  settleAll(): void {
    this.settle(new Set(this.#pending));
  }
}

function applyTo(names: Names, operation: NameOperation): void {
  if (operation.kind === 'link') {
    names.set(operation.path, operation.node);
  } else if (operation.kind === 'unlink') {
    names.delete(operation.path);
  } else {
    names.delete(operation.path);
    names.set(operation.to, operation.node);
    if (operation.node === 'directory') moveChildren(names, operation);
  }
}

function moveChildren(names: Names, move: { readonly path: string; readonly to: string }): void {
  for (const [path, node] of [...names]) {
    if (!isInside(path, move.path)) continue;
    names.delete(path);
    names.set(move.to + path.slice(move.path.length), node);
  }
}

/** Whether `later` cannot have happened without `earlier`. */
function restsOn(later: NameOperation, earlier: NameOperation): boolean {
  const isWholeFolder =
    later.kind === 'unlink' || (later.kind === 'rename' && later.node === 'directory');
  return namesOf(later).some((name) =>
    namesOf(earlier).some((other) => other === name || (isWholeFolder && isInside(other, name))),
  );
}

function namesOf(operation: NameOperation): readonly string[] {
  return operation.kind === 'rename' ? [operation.path, operation.to] : [operation.path];
}

function isInside(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

function dropOrphans(names: Names): void {
  for (const path of [...names.keys()].sort()) {
    const parent = parentOf(path);
    if (parent !== '' && names.get(parent) !== 'directory') names.delete(path);
  }
}
