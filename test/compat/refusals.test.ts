// What a person reads when a damaged directory is refused: which file, where in it, and what to do.
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listing, Place } from '../preset/place.js';
import { unpack } from './data-archive.js';
import { archive, type Name, openMember } from './data-directories.js';
import { edit, editRecords, stateOf } from './edits.js';

let place: Place;
beforeEach(async () => {
  place = await Place.make();
  unpack(archive, place.dir('.'));
});
afterEach(() => place.close());

const flip = (path: string, at: number) =>
  edit(path, (bytes) => {
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
    return bytes;
  });
const flipRecord = (_: string, value: DataView) => value.setUint8(6, value.getUint8(6) ^ 0x10);

const tableOf = (dir: string) =>
  `${stateOf(dir)}/${readdirSync(stateOf(dir)).find((name) => name.endsWith('.ldb'))}`;

const damages: readonly [
  part: string,
  of: Name,
  code: string,
  says: RegExp,
  damage: (dir: string) => void | Promise<void>,
][] = [
  [
    'the member file',
    'c',
    'STATE_CORRUPT',
    /c\/member\.json is damaged/,
    (dir) => flip(`${dir}/member.json`, 40),
  ],
  [
    "the state's pointer",
    'c',
    'STATE_CORRUPT',
    /c\/state\.current is damaged/,
    (dir) => flip(`${dir}/state.current`, 20),
  ],
  [
    'an earlier segment of the log',
    'a',
    'WAL_CORRUPT',
    /a\/wal\/[0-9a-f]{16}\.wal is damaged at byte \d+/,
    (dir) => flip(`${dir}/wal/${readdirSync(`${dir}/wal`)[0]}`, 700),
  ],
  [
    'a table of the state',
    'a',
    'STATE_CORRUPT',
    /a\/state\/\d+\.ldb of the state is damaged at byte \d+/,
    (dir) => flip(tableOf(dir), 5_000),
  ],
  [
    "the keyspace's meta record",
    'c',
    'STATE_CORRUPT',
    /stored record "m": its checksum is wrong/,
    (dir) => editRecords(dir, 'm', flipRecord),
  ],
  [
    'the applied index',
    'c',
    'STATE_CORRUPT',
    /the applied index of the state has a wrong checksum/,
    (dir) => editRecords(dir, 'b', flipRecord),
  ],
  [
    'the flush records',
    'c',
    'STATE_CORRUPT',
    /a flush record of the state has a wrong checksum/,
    (dir) => editRecords(dir, 'f', flipRecord),
  ],
];

describe('a damaged directory', () => {
  test.each(damages)(
    '%s -> refused by name, with what to do',
    async (_, name, code, says, damage) => {
      const dir = place.dir(name);
      await damage(dir);
      const outside = async () =>
        (await listing(dir)).filter((line) => !line.startsWith(`${stateOf(dir)}/`));
      const before = await outside();
      const cluster = await place.cluster('a', 'b', 'c');
      const refused = await openMember({ name, dir, cluster }).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code });
      const { message } = refused as Error;
      expect(message).toMatch(says);
      expect(message).toMatch(/restore (this member from )?a backup/i);
      expect(message).toMatch(/new id|remove it, add a new one/);
      expect(await outside()).toEqual(before);
    },
  );
});
