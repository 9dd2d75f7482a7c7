/** A log for tests: small segments, few zeros ahead, entries that say who they are. */
import { expect } from 'vitest';
import { isKontikiError } from '../../../src/base/errors.js';
import type { Entry, HardState } from '../../../src/raft/types.js';
import {
  type OpenWalOptions,
  openWal,
  type RecordPlace,
  readWal,
  type WalLogStore,
  type WalRecord,
} from '../../../src/storage/wal/index.js';
import { FakeFiles, type Image, settled } from './fake-files.js';

export const dir = 'log';
export const voters = [1, 2, 3] as const;

export type LogOptions = Partial<Omit<OpenWalOptions, 'dir'>>;

export function openLog(fs: OpenWalOptions['fs'], options: LogOptions = {}): Promise<WalLogStore> {
  return openWal({ fs, dir, voters, segmentBytes: 1 << 20, preallocateBytes: 4_096, ...options });
}

/** As a driver has it, which looks for space. */
export async function openPatient(
  fs: OpenWalOptions['fs'],
  options: LogOptions = {},
): Promise<WalLogStore> {
  const log = await openLog(fs, options);
  log.waitForSpace(true);
  return log;
}

export function segmentPath(segment: number): string {
  return `${dir}/${segment.toString(16).padStart(16, '0')}.wal`;
}

/** Bytes that are different at each place. */
export function bytes(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (seed * 31 + at * 7 + (at >> 8)) & 0xff);
}

export function entry(term: number, index: number, data: Uint8Array = bytes(20, index)): Entry {
  return { term, index, type: 'normal', data };
}

/** Entries `[lo, hi)` of a term. */
export function entries(term: number, lo: number, hi: number, length = 20): Entry[] {
  return Array.from({ length: hi - lo }, (_, at) =>
    entry(term, lo + at, bytes(length, lo + at + 100 * term)),
  );
}

export function append(
  log: WalLogStore,
  added: readonly Entry[],
  hardState?: HardState,
): Promise<void> {
  return log.append({
    entries: added,
    mustSync: true,
    ...(hardState === undefined ? {} : { hardState }),
  });
}

/** Waits for `write` as a driver does: it looks for space now and then. */
export async function looking<T>(log: WalLogStore, write: Promise<T>): Promise<T> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  write.then(over, over);
  while (!isOver) {
    await settled();
    await log.reserve();
  }
  return write;
}

/** All entries, from memory or disk. */
export async function allEntries(log: WalLogStore): Promise<Entry[]> {
  const found: Entry[] = [];
  const hi = log.lastIndex() + 1;
  const first = log.firstIndex();
  while (found.length < hi - first) {
    const range = { lo: first + found.length, hi };
    const next = log.entries(range, Number.POSITIVE_INFINITY);
    if (next === 'pending') await log.fetch(range);
    else found.push(...next!);
  }
  return found;
}

/** As `toEqual`, which takes its time with bytes. */
export function expectEntries(found: unknown, expected: readonly Entry[], what = ''): void {
  const isSame =
    Array.isArray(found) &&
    found.length === expected.length &&
    expected.every(({ term, index, data }, at) => {
      const other: Entry = found[at];
      return other.term === term && other.index === index && Buffer.compare(other.data, data) === 0;
    });
  if (!isSame) expect(found, what).toEqual(expected);
}

/** What a log holds, read from its files alone. */
export interface Contents {
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
  readonly voters: readonly number[] | undefined;
}

export async function contentsOf(image: Image): Promise<Contents> {
  const found: Entry[] = [];
  let base = -1;
  const startBehind = (index: number): void => {
    found.splice(0, index - base);
    base = index;
  };
  const visit = (record: WalRecord, place: RecordPlace): void => {
    if (record.kind === 'head' && base < 0) base = record.position.index;
    if (record.kind === 'start' && record.position.index > base) startBehind(record.position.index);
    if (record.kind === 'installing' && !place.isHead) {
      found.length = 0;
      base = record.snapshot.last.index;
    }
    if (record.kind !== 'entry') return;
    found.length = record.entry.index - 1 - base;
    found.push({ ...record.entry, data: record.entry.data.slice() });
  };
  const { history } = await readWal({ fs: new FakeFiles(image), dir, visit });
  const { voters: members } = history.configurationAt(history.terms.last);
  return { entries: found, hardState: history.hardState, voters: members };
}

/** The end of the last group and where it starts, of an intact log. */
export async function tailOf(image: Image) {
  const { tail } = await readWal({ fs: new FakeFiles(image), dir });
  return { segment: tail!.segment, first: tail!.first, start: tail!.lastGroup, end: tail!.end };
}

/** A copy with one file changed. */
export function changed(
  image: Image,
  path: string,
  change: (file: Uint8Array) => Uint8Array | undefined,
): Map<string, Uint8Array> {
  const copy = new Map(image);
  const next = change(image.get(path)!.slice());
  if (next === undefined) copy.delete(path);
  else copy.set(path, next);
  return copy;
}

/** The log is refused, with this code and these fields, and not a byte is changed. */
export async function expectRefused(
  image: Image,
  fields: Readonly<Record<string, unknown>>,
  what = '',
): Promise<void> {
  const fs = new FakeFiles(image);
  let error: unknown;
  try {
    const log = await openLog(fs);
    await log.close();
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) expect.fail(`${what}: opened, expected ${JSON.stringify(fields)}`);
  expect(error, what).toMatchObject(fields);
  if (isKontikiError(error, 'WAL_CORRUPT')) {
    expect(typeof error.file === 'string' && error.offset >= 0, what).toBe(true);
  }
  expect(fs.steps, what).toEqual([]);
  expect(fs.openFiles, what).toBe(0);
}

/** The log opens with exactly these contents, takes one more entry, and opens with it again. */
export async function expectRecovers(image: Image, expected: Contents, what = ''): Promise<void> {
  const fs = new FakeFiles(image);
  const log = await openLog(fs);
  expectEntries(await allEntries(log), expected.entries, what);
  expect(log.initialState(), what).toEqual({ hardState: expected.hardState, voters: [...voters] });
  const term = Math.max(expected.hardState.term, expected.entries.at(-1)?.term ?? 1, 1);
  const next = entry(term, expected.entries.length + 1, bytes(700, 99));
  await append(log, [next]);
  await log.close();
  const { entries: all, ...rest } = await contentsOf(fs.image());
  expectEntries(all, [...expected.entries, next], what);
  expect(rest, what).toEqual({ hardState: expected.hardState, voters });
}

/** What a process that was killed left behind. */
export interface Leftover {
  readonly image: Image;
  /** Before which step it was killed. */
  readonly what: string;
}

/**
 * Opens a log and acts on it, once for each step that this takes: each time the process is killed
 * before that step, so that nothing after it happens. The last one is killed after all steps.
 */
export async function crashAtEachStep(
  start: Image,
  options: LogOptions,
  act: (log: WalLogStore) => Promise<unknown>,
): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (let at = 0; ; at += 1) {
    const fs = new FakeFiles(start);
    let left = at;
    let killedBefore: string | undefined;
    fs.before = (step) => {
      left -= 1;
      if (left >= 0) return;
      killedBefore ??= `${step.kind} ${step.path}`;
      throw new Error('killed');
    };
    await openLog(fs, options)
      .then(async (log) => {
        await act(log);
        await log.close();
      })
      .catch((error: Error) => {
        if (killedBefore === undefined) throw error;
      });
    found.push({ image: fs.image(), what: `killed at step ${at}, ${killedBefore ?? 'the end'}` });
    if (killedBefore === undefined) return found;
  }
}
