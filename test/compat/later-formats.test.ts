// A directory that a later release has written to: refused by name, whichever part says so, and left as
// it is. Each case raises one version in the golden directory of member c, with a right checksum.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { binaryBytes } from '../../src/base/bytes.js';
import { crc32 } from '../../src/base/crc32.js';
import { openClassicLevel } from '../../src/storage/classic-level/index.js';
import { listing, Place } from '../preset/place.js';
import { unpack } from './data-archive.js';
import { archive, openMember } from './data-directories.js';
import { edit, editRecords, onlyIn, raiseKeyspace, recordsOf, stateOf } from './edits.js';

let place: Place;
let dir: string;

beforeEach(async () => {
  place = await Place.make();
  unpack(archive, place.dir('.'));
  dir = place.dir('c');
});
afterEach(() => place.close());

/** Files of the directory, and records in place of LevelDB's files: it tidies up when it is opened. */
async function contents(): Promise<unknown> {
  const state = stateOf(dir);
  const files = (await listing(dir)).filter((line) => !line.startsWith(`${state}/`));
  const engine = await openClassicLevel(state);
  const all = await recordsOf(engine, '');
  await engine.close();
  return {
    files,
    records: all.map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  };
}

/** Checksum last, as the backend seals its records. */
const raiseFlush = (key: string, value: DataView) => {
  value.setUint8(0, 3);
  const end = value.byteLength - 4;
  value.setUint32(end, crc32(new Uint8Array(value.buffer, 0, end), crc32(binaryBytes(key))));
};

function raiseMemberFile(bytes: Buffer): Buffer {
  const [body = ''] = bytes
    .toString()
    .replace('"format": 1', '"format": 2')
    .split(',\n  "checksum"');
  return Buffer.from(`${body},\n  "checksum": "${hex(body)}"\n}\n`);
}

function raisePointer(bytes: Buffer): Buffer {
  const body = bytes.toString().slice(0, -9).replace(' 1 ', ' 2 ');
  return Buffer.from(`${body}${hex(body)}\n`);
}

const hex = (text: string) => crc32(Buffer.from(text)).toString(16).padStart(8, '0');

function raiseSegment(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 508)), 508);
  return bytes;
}

function raiseSnapshot(bytes: Buffer): Buffer {
  bytes.writeUInt16BE(2, 4);
  const end = bytes.readUInt32BE(8) - 4;
  bytes.writeUInt32BE(crc32(bytes.subarray(0, end)), end);
  return bytes;
}

const parts: readonly [part: string, named: RegExp, raise: () => void | Promise<void>][] = [
  [
    'the member file',
    /c\/member\.json has format 2/,
    () => edit(`${dir}/member.json`, raiseMemberFile),
  ],
  [
    "the state's pointer",
    /c\/state\.current has format 2/,
    () => edit(`${dir}/state.current`, raisePointer),
  ],
  [
    "the log's segment",
    /c\/wal\/0000000000000001\.wal has format version 2/,
    () => edit(onlyIn(`${dir}/wal`), raiseSegment),
  ],
  [
    'the snapshot',
    /c\/snapshots\/\S+\.snapshot has format 2/,
    () => edit(onlyIn(`${dir}/snapshots`), raiseSnapshot),
  ],
  [
    "the keyspace's meta record",
    /stored record "m" has layout 2/,
    () => editRecords(dir, 'm', raiseKeyspace),
  ],
  [
    'the applied index',
    /the applied index of the state has format 3/,
    () => editRecords(dir, 'b', raiseFlush),
  ],
  [
    'the flush records',
    /a flush record of the state has format 3/,
    () => editRecords(dir, 'f', raiseFlush),
  ],
];

async function open() {
  const cluster = await place.cluster('a', 'b', 'c');
  return openMember({ name: 'c', dir, cluster });
}

describe('a later format', () => {
  test.each(parts)(
    'of %s -> FORMAT_UNSUPPORTED by name, nothing changed',
    async (_, named, raise) => {
      await raise();
      const before = await contents();
      const message = expect.stringMatching(named);
      await expect(open()).rejects.toMatchObject({ code: 'FORMAT_UNSUPPORTED', message });
      expect(await contents()).toEqual(before);
    },
  );

  test('of none of them -> opens: the cases above fail for the version alone', async () => {
    await editRecords(dir, 'm', (_, value) => value.getUint8(0));
    const store = await open();
    expect(store.status().revision).toBe(70);
    await store.close();
  });
});
