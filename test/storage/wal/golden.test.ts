// A log that this version wrote opens in every later one, whatever is done to one byte of it.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../../src/base/crc32.js';
import type { WalLogStore } from '../../../src/storage/wal/index.js';
import { FakeFiles, type Image } from './fake-files.js';
import { goldenContents, goldenLog, goldenOptions, goldenSnapshot } from './golden-log.js';
import { allEntries, changed, dir, expectRefused, openLog } from './log.js';

const folder = `${import.meta.dirname}/../../compat/wal-v1`;
const golden: Image = new Map(
  readdirSync(folder).map((name) => [
    `${dir}/${name}`,
    new Uint8Array(readFileSync(`${folder}/${name}`)),
  ]),
);

const stateOf = async (log: WalLogStore) =>
  JSON.stringify({
    first: log.firstIndex(),
    entries: (await allEntries(log)).map(({ data, ...rest }) => ({ ...rest, data: [...data] })),
    state: log.initialState(),
    installing: log.installing,
  });

async function open(image: Image) {
  const fs = new FakeFiles(image);
  const log = await openLog(fs, { ...goldenOptions, applied: 44 });
  return { fs, log };
}

const depth = Math.max(1, Math.floor(Number(process.env.KONTIKI_DEPTH ?? 1)));
/** With depth, every byte is tried. */
const stride = depth > 1 ? 1 : 3;

describe('the golden log', () => {
  test('opens -> all that was written', async () => {
    const { log } = await open(golden);
    expect(log.firstIndex()).toBe(goldenContents.first);
    expect(await allEntries(log)).toEqual(goldenContents.entries);
    const { configuration, hardState } = goldenContents;
    expect(log.initialState()).toEqual({ hardState, ...configuration });
    expect(log.installing).toBeUndefined();
    await log.close();
    const earlier = await openLog(new FakeFiles(golden), { ...goldenOptions, applied: 40 });
    expect(earlier.initialState()).toEqual({ hardState, ...goldenSnapshot.configuration });
    await earlier.close();
  });

  test('written anew -> the same bytes', async () => {
    const anew = await goldenLog();
    const named = [...anew].map(([name, bytes]) => [`${dir}/${name}`, bytes] as const);
    expect(new Map(named)).toEqual(golden);
  });

  test('every byte of every file changed -> refused, or the same', async () => {
    const same = await stateOf((await open(golden)).log);
    let refused = 0;
    let cases = 0;
    for (const path of golden.keys()) {
      const { length } = golden.get(path)!;
      for (let at = 0; at < length; at += stride) {
        cases += 1;
        const damaged = changed(golden, path, (file) => {
          file[at]! ^= 1 << (at % 8);
          return file;
        });
        const found = await open(damaged).then(
          async ({ log }) => stateOf(log),
          ({ code }: { code: string }) => code,
        );
        if (found === 'WAL_CORRUPT') refused += 1;
        else expect(found, `byte ${at} of ${path}`).toBe(same);
      }
    }
    expect(refused).toBe(cases);
  });

  test('every file cut at every byte -> refused, or a beginning of it', async () => {
    // What it held after each of its groups.
    const states = new Set<string>();
    for (const path of golden.keys()) {
      const { length } = golden.get(path)!;
      const isLast = path === [...golden.keys()].sort().at(-1);
      for (let size = 0; size < length; size += stride) {
        const damaged = changed(golden, path, (file) => file.slice(0, size));
        if (!isLast) {
          await expectRefused(damaged, { code: 'WAL_CORRUPT' }, `${path} cut at ${size}`);
          continue;
        }
        const found = await open(damaged).then(
          async ({ log }) => stateOf(log),
          ({ code }: { code: string }) => code,
        );
        states.add(found);
      }
    }
    // In order: no head; before the new configuration, before the last entry, before the mark.
    expect(states.size).toBeLessThanOrEqual(5);
    expect([...states][0]).toBe('WAL_CORRUPT');
    const last = goldenContents.entries.at(-1)!;
    for (const state of [...states].slice(1)) {
      const { entries, first } = JSON.parse(state);
      expect(first).toBe(goldenContents.first);
      const expected = goldenContents.entries.slice(0, entries.length);
      expect(entries).toEqual(expected.map(({ data, ...rest }) => ({ ...rest, data: [...data] })));
      expect(last.index - entries.at(-1).index).toBeLessThanOrEqual(2);
    }
  });

  test('of a later format version -> refused by the version, in any segment', async () => {
    for (const path of golden.keys()) {
      const later = changed(golden, path, (file) => {
        const view = new DataView(file.buffer, file.byteOffset);
        view.setUint32(8, 7, true);
        view.setUint32(508, crc32(file.subarray(0, 508)), true);
        return file;
      });
      const message = expect.stringContaining(`${path} has format version 7`);
      await expectRefused(later, { code: 'FORMAT_UNSUPPORTED', message });
    }
  });
});
