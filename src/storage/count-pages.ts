/**
 * How many keys there are between some keys, learned from the counts that were asked for
 * (docs/adr/0011-counting.md). The counted range is cut into pages; of each it is known how many keys
 * are in it, or not yet. Every key that comes or goes is counted in its page, so a range is the sum of
 * the pages inside it, and only what is left at its two ends has to be read.
 *
 * ```
 *   range            [..........................)
 *   pages    |  128  |  128  |  130  |  127  |  ?  |
 *   read             ^^^^                      ^^^^     and learned, where it was much
 * ```
 *
 * It is one member's own, in memory: nothing of it is stored, replicated or hashed, and a new one knows
 * nothing.
 */
import { replaceAdvice } from '../base/advice.js';
import { assert } from '../base/assert.js';
import type { BinaryString } from '../base/bytes.js';
import { type KontikiError, kontikiError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { lowerBound } from '../base/sorted-keys.js';
import type { KeyRange } from './kv-engine.js';

const defaults = { pageKeys: 128, pagesMax: limits.countPagesMax } as const;
/** Longer keys are no bounds of pages: they are what the memory of all pages goes by. */
const boundBytesMax = 256;
/** Changes that one lesson remembers: some seconds of creating keys as fast as possible. */
const lessonChangesMax = 262_144;
/** Stretches read for one count; where more would be needed, all between is read in one go. */
const stretchesMax = 4;

/** How fine the pages are. @since 0.1.0 */
export interface CountPagesOptions {
  /** Keys that were read and become a page of their own; default 128. */
  readonly pageKeys?: number | undefined;
  /** Pages kept; past it neighbours are joined. Default `limits.countPagesMax`. */
  readonly pagesMax?: number | undefined;
}

/** One page; its place says where it begins. */
interface Page {
  /** `undefined`: not known. */
  count: number | undefined;
  /** Under way; the widest one when several read in it. */
  lesson: Lesson | undefined;
}

/** What came and went in a page since somebody began to read a part of it. */
interface Lesson extends KeyRange {
  readonly came: BinaryString[];
  readonly went: BinaryString[];
}

/** What is to be read of one page. @since 0.1.0 */
export interface PagePart extends KeyRange {
  /** Present when what is read can be learned. */
  readonly lesson: object | undefined;
}

/** What is to be read in one go. @since 0.1.0 */
export interface Stretch extends KeyRange {
  /** Of neighbouring pages, ascending; from the beginning of the stretch to its end. */
  readonly parts: readonly PagePart[];
}

/** How a range is counted. @since 0.1.0 */
export interface Survey {
  /** Keys outside of what is to be read. */
  readonly known: number;
  readonly stretches: readonly Stretch[];
}

/** What reading a part found, as of the moment of the survey. @since 0.1.0 */
export interface PartCount {
  readonly keys: number;
  /** The first key of each further `pageKeys` keys of the part. */
  readonly cuts: readonly BinaryString[];
}

/** Pages that take the place of the one at `at`, and what changed in it meanwhile. */
interface Learned {
  readonly at: number;
  readonly froms: readonly BinaryString[];
  readonly counts: readonly (number | undefined)[];
  readonly came: readonly BinaryString[];
  readonly went: readonly BinaryString[];
}

/** Pages from `from`, up to and without `to`, by their places. */
interface Run {
  readonly from: number;
  readonly to: number;
}

/**
 * The pages of one range of keys.
 *
 * @since 0.1.0
 */
export class CountPages {
  readonly range: KeyRange;
  readonly pageKeys: number;
  readonly #pagesMax: number;
  /** First key of each page, ascending. */
  #froms: BinaryString[];
  #pages: Page[] = [unknownPage()];
  #failure: KontikiError | undefined;

  /**
   * @param range - all that is ever counted
   * @param options - see {@link CountPagesOptions}
   */
  constructor(range: KeyRange, options: CountPagesOptions = {}) {
    this.range = range;
    this.pageKeys = options.pageKeys ?? defaults.pageKeys;
    this.#pagesMax = options.pagesMax ?? defaults.pagesMax;
    this.#froms = [range.gte];
  }

  /** How many pages there are. */
  get size(): number {
    return this.#pages.length;
  }

  /**
   * Counts a key that came or went.
   *
   * @param key - in the range
   * @param delta - 1 or -1
   */
  changed(key: BinaryString, delta: number): void {
    const page = this.#pages[this.#pages.length === 1 ? 0 : this.#placeOf(key)] as Page;
    if (page.count !== undefined) {
      page.count += delta;
      // Whoever applies a change must not fail half way; who counts will be told.
      if (page.count < 0) this.#failure ??= miscounted(key);
    }
    const { lesson } = page;
    if (lesson === undefined) return;
    (delta > 0 ? lesson.came : lesson.went).push(key);
    if (lesson.came.length + lesson.went.length > lessonChangesMax) page.lesson = undefined;
  }

  /** Forgets what is known of the pages from one key to another, both included. */
  forget(first: BinaryString, last: BinaryString): void {
    const from = this.#placeOf(first);
    const to = this.#placeOf(last) + 1;
    this.#froms.splice(from + 1, to - from - 1);
    this.#pages.splice(from, to - from, unknownPage());
  }

  /**
   * Says how to count a range. What is to be read must be fixed in the same turn, and each part of it
   * given to {@link learn} or {@link abandon} later.
   *
   * @param range - not empty, and inside of what is counted
   * @throws {KontikiError} STATE_CORRUPT, when more keys went than there were
   */
  survey(range: KeyRange): Survey {
    const { gte, lt } = range;
    assert(gte < lt && gte >= this.range.gte && lt <= this.range.lt, 'count: range in bounds');
    if (this.#failure !== undefined) throw this.#failure;
    const from = this.#placeOf(gte);
    const to = lowerBound(this.#froms, lt);
    let runs = this.#runsToRead({ from, to }, range);
    const [first] = runs;
    const last = runs.at(-1);
    if (first !== undefined && last !== undefined && runs.length > stretchesMax) {
      runs = [{ from: first.from, to: last.to }];
    }
    let known = 0;
    let at = from;
    for (const run of [...runs, { from: to, to }]) {
      for (; at < run.from; at += 1) known += this.#pages[at]?.count as number;
      at = run.to;
    }
    return { known, stretches: runs.map((run) => this.#stretch(run, range)) };
  }

  /**
   * Takes what reading some parts found; ascending. All at once, for each lesson copies all pages.
   *
   * @throws {KontikiError} STATE_CORRUPT, when it is not what was counted
   */
  learn(parts: readonly PagePart[], counts: readonly PartCount[]): void {
    const lessons: Learned[] = [];
    parts.forEach((part, nth) => {
      const learned = this.#learned(part, counts[nth] as PartCount);
      if (learned !== undefined) lessons.push(learned);
    });
    if (lessons.length === 0) return;
    const [oldFroms, oldPages] = [this.#froms, this.#pages];
    const froms: BinaryString[] = [];
    const pages: Page[] = [];
    let next = 0;
    const keep = (to: number): void => {
      for (; next < to; next += 1) {
        froms.push(oldFroms[next] as BinaryString);
        pages.push(oldPages[next] as Page);
      }
    };
    for (const learned of lessons) {
      keep(learned.at);
      for (const from of learned.froms) froms.push(from);
      for (const count of learned.counts) pages.push({ count, lesson: undefined });
      next += 1;
    }
    keep(oldPages.length);
    this.#froms = froms;
    this.#pages = pages;
    for (const { came, went } of lessons) {
      for (const key of came) this.changed(key, 1);
      for (const key of went) this.changed(key, -1);
    }
    if (this.#pages.length > this.#pagesMax) this.#join();
  }

  /** What takes the place of the page of a part, if anything. */
  #learned(part: PagePart, { keys, cuts }: PartCount): Learned | undefined {
    const at = this.#abandonAt(part);
    if (at === undefined) return undefined;
    const page = this.#pages[at] as Page;
    const { came, went } = part.lesson as Lesson;
    const before = page.count === undefined ? undefined : page.count - came.length + went.length;
    const hasLeft = part.gte > (this.#froms[at] as BinaryString);
    const hasRight = part.lt < this.#endOf(at);
    const isWhole = !hasLeft && !hasRight;
    if (before !== undefined && (isWhole ? before !== keys : before < keys)) {
      throw miscounted(part.gte);
    }
    const isNew = isWhole ? cuts.length > 0 || before === undefined : keys >= this.pageKeys;
    if (!isNew) return undefined;
    if (part.gte.length > boundBytesMax || part.lt.length > boundBytesMax) return undefined;
    // Two remainders share what is left, in parts that nobody knows.
    const isRestKnown = before !== undefined && !(hasLeft && hasRight);
    const rest = isRestKnown ? (before as number) - keys : undefined;
    const froms = hasLeft ? [this.#froms[at] as BinaryString] : [];
    const counts = hasLeft ? [rest] : [];
    this.#cutPart({ part, keys, cuts }, froms, counts);
    if (hasRight) {
      froms.push(part.lt);
      counts.push(rest);
    }
    return { at, froms, counts, came, went };
  }

  /** Says that a part will not be read. */
  abandon(part: PagePart): void {
    this.#abandonAt(part);
  }

  /** Ends a lesson. @returns where its page is; `undefined` when there is nothing to learn any more */
  #abandonAt(part: PagePart): number | undefined {
    const at = this.#placeOf(part.gte);
    const page = this.#pages[at];
    if (part.lesson === undefined || page?.lesson !== part.lesson) return undefined;
    page.lesson = undefined;
    return at;
  }

  #cutPart(
    { part, keys, cuts }: PartCount & { readonly part: PagePart },
    froms: BinaryString[],
    counts: (number | undefined)[],
  ): void {
    froms.push(part.gte);
    let done = 0;
    cuts.forEach((cut, nth) => {
      if (cut.length > boundBytesMax) return;
      const upTo = (nth + 1) * this.pageKeys;
      counts.push(upTo - done);
      froms.push(cut);
      done = upTo;
    });
    counts.push(keys - done);
  }

  /** Pages that are unknown, or that the range cuts. */
  #runsToRead({ from, to }: Run, { gte, lt }: KeyRange): Run[] {
    const runs: Run[] = [];
    let start = -1;
    for (let at = from; at < to; at += 1) {
      const isCut =
        (at === from && gte > (this.#froms[at] as BinaryString)) ||
        (at === to - 1 && lt < this.#endOf(at));
      const isRead = isCut || this.#pages[at]?.count === undefined;
      if (isRead && start < 0) start = at;
      if (!isRead && start >= 0) {
        runs.push({ from: start, to: at });
        start = -1;
      }
    }
    if (start >= 0) runs.push({ from: start, to });
    return runs;
  }

  #stretch({ from, to }: Run, range: KeyRange): Stretch {
    const parts: PagePart[] = [];
    for (let at = from; at < to; at += 1) {
      const page = this.#pages[at] as Page;
      const start = this.#froms[at] as BinaryString;
      const end = this.#endOf(at);
      const gte = start < range.gte ? range.gte : start;
      const lt = end > range.lt ? range.lt : end;
      parts.push({ gte, lt, lesson: this.#beginLesson(page, { gte, lt }) });
    }
    const first = parts[0] as PagePart;
    return { gte: first.gte, lt: (parts.at(-1) as PagePart).lt, parts };
  }

  #beginLesson(page: Page, { gte, lt }: KeyRange): Lesson | undefined {
    // Of a page this small there is nothing more to be known.
    if (page.count !== undefined && page.count < this.pageKeys) return undefined;
    const other = page.lesson;
    if (other !== undefined) {
      const isWider = gte <= other.gte && lt >= other.lt && (gte < other.gte || lt > other.lt);
      if (!isWider) return undefined;
    }
    page.lesson = { gte, lt, came: [], went: [] };
    return page.lesson;
  }

  /** Joins neighbours, small ones first, until there are half as many pages as may be. */
  #join(): void {
    for (let size = this.pageKeys; this.#pages.length > this.#pagesMax / 2; size *= 2) {
      const froms: BinaryString[] = [];
      const pages: Page[] = [];
      this.#pages.forEach((page, at) => {
        const last = pages.at(-1);
        if (last !== undefined && canJoin(last, page, size)) {
          pages[pages.length - 1] = joined(last, page);
        } else {
          froms.push(this.#froms[at] as BinaryString);
          pages.push(page);
        }
      });
      this.#froms = froms;
      this.#pages = pages;
    }
  }

  /** Place of the page that a key of the range belongs to. */
  #placeOf(key: BinaryString): number {
    const at = lowerBound(this.#froms, key);
    return this.#froms[at] === key ? at : at - 1;
  }

  #endOf(at: number): BinaryString {
    return this.#froms[at + 1] ?? this.range.lt;
  }
}

/** Either the engine lost or kept what it should not have, or we counted wrong. */
function miscounted(key: BinaryString): KontikiError {
  const found = `the keys around ${JSON.stringify(key)} are not those that were counted`;
  return kontikiError('STATE_CORRUPT', `${found}; ${replaceAdvice}`);
}

function unknownPage(): Page {
  return { count: undefined, lesson: undefined };
}

/** What is little need not be known apart from a neighbour that is not known. */
function canJoin(a: Page, b: Page, size: number): boolean {
  return (a.count ?? 0) + (b.count ?? 0) <= size;
}

/** A page anew: what is being learned of either is of no use for it. */
function joined(a: Page, b: Page): Page {
  if (a.count === undefined || b.count === undefined) return unknownPage();
  return { count: a.count + b.count, lesson: undefined };
}
