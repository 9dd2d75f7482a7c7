import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8Bytes, utf8Text } from '../../src/base/bytes.js';
import { crc32 } from '../../src/base/crc32.js';
import { isKontikiError } from '../../src/base/errors.js';
import {
  type MemberRecord,
  readMemberFile,
  writeMemberFile,
} from '../../src/storage/member-file.js';
import { MemoryFiles } from './memory-files.js';

const dirId = '0123456789abcdef0123456789abcdef';
const record: MemberRecord = {
  format: 1,
  clusterId: 2 ** 53 - 1,
  memberId: 7,
  name: 'n1 "ü"\u2028',
  dirId,
  token: 'ab12',
  members: [
    { id: 7, name: 'n1' },
    { id: 8, name: 'n2' },
  ],
  life: { number: 3, tokens: [30, 20, 2 ** 32 - 1] },
  peers: [
    { memberId: 8, dirId: dirId.replace('0', 'f'), life: 2, token: 0, term: 5, lastIndex: 2 ** 40 },
  ],
};
const path = 'data/member.json';
const corrupt = (error: unknown) => isKontikiError(error, 'STATE_CORRUPT');

async function written(value: MemberRecord = record): Promise<MemoryFiles> {
  const fs = new MemoryFiles();
  await writeMemberFile(fs, 'data', value);
  return fs;
}

/** The file with another JSON value and a right checksum, as a foreign program would write it. */
function forged(value: unknown): MemoryFiles {
  const fs = new MemoryFiles();
  const body = JSON.stringify(value, undefined, 2).slice(0, -2);
  const checksum = crc32(utf8Bytes(body)).toString(16).padStart(8, '0');
  fs.files.set(path, utf8Bytes(`${body},\n  "checksum": "${checksum}"\n}\n`));
  return fs;
}

describe('member file', () => {
  test('no file -> undefined', async () => {
    expect(await readMemberFile(new MemoryFiles(), 'data')).toBeUndefined();
  });

  test('any record -> the same comes back, and the file is JSON a person can read', async () => {
    const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
    const hex = fc.string({
      unit: fc.constantFrom(...'0123456789abcdef'),
      minLength: 32,
      maxLength: 32,
    });
    const records = fc.record(
      {
        format: fc.constant(1 as const),
        clusterId: id,
        memberId: id,
        name,
        dirId: hex,
        token: hex,
        members: fc.uniqueArray(fc.record({ id, name }), { selector: (m) => m.id, maxLength: 5 }),
        life: fc.record({ number: id, tokens: fc.array(fc.nat(), { maxLength: 16 }) }),
        rolledBack: fc.constant(true as const),
        peers: fc.array(
          fc.record(
            { memberId: id, dirId: hex, life: id, token: fc.nat(), term: id, lastIndex: fc.nat() },
            { requiredKeys: ['memberId', 'dirId'] },
          ),
          { maxLength: 1 },
        ),
      },
      { requiredKeys: ['format', 'clusterId', 'memberId', 'name', 'dirId', 'members', 'peers'] },
    );
    await fc.assert(
      fc.asyncProperty(records, async (any) => {
        fc.pre(new Set(any.members.map((member) => member.name)).size === any.members.length);
        const fs = await written(any);
        expect(await readMemberFile(fs, 'data')).toEqual(any);
        const { checksum, ...rest } = JSON.parse(utf8Text(fs.files.get(path)!));
        expect(checksum).toMatch(/^[0-9a-f]{8}$/);
        expect(rest).toEqual(any);
      }),
      { numRuns: 100 },
    );
  });

  test('write: over an old file and a leftover -> synced before the rename, then the directory', async () => {
    const fs = await written();
    fs.files.set(`${path}.tmp`, new Uint8Array(3));
    fs.steps.length = 0;
    await writeMemberFile(fs, 'data', { ...record, peers: [] });
    expect(fs.steps).toEqual([
      `remove ${path}.tmp`,
      `create ${path}.tmp`,
      'write',
      'sync',
      'close',
      `rename ${path}.tmp ${path}`,
      'sync data',
    ]);
    expect((await readMemberFile(fs, 'data'))?.peers).toEqual([]);
  });

  test.each(['write', 'sync'])(
    'write: %s fails -> the old record stays, the file is closed',
    async (step) => {
      const fs = await written();
      fs.failAt = step;
      fs.steps.length = 0;
      await expect(writeMemberFile(fs, 'data', { ...record, peers: [] })).rejects.toThrow(step);
      expect(fs.steps.at(-1)).toBe('close');
      expect(await readMemberFile(fs, 'data')).toEqual(record);
    },
  );

  test('any bit flipped, any length cut, any byte added -> STATE_CORRUPT naming the file', async () => {
    const fs = await written();
    const good = fs.files.get(path)!;
    const refuse = async (bytes: Uint8Array) => {
      fs.files.set(path, bytes);
      const error = await readMemberFile(fs, 'data').catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'STATE_CORRUPT' });
      expect(String(error)).toContain(path);
    };
    for (let at = 0; at < good.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const damaged = Uint8Array.from(good);
        damaged[at]! ^= 1 << bit;
        await refuse(damaged);
      }
      await refuse(good.slice(0, at));
      await refuse(good.slice(at + 1));
      await refuse(Uint8Array.from([...good.slice(0, at), 0x20, ...good.slice(at)]));
    }
    await refuse(Uint8Array.from([...good, 0x0a]));
    await refuse(new Uint8Array(good.length));
  });

  test('a later format -> FORMAT_UNSUPPORTED, whatever else it holds', async () => {
    const error = await readMemberFile(forged({ format: 2, whatever: 1 }), 'data').catch((e) => e);
    expect(isKontikiError(error, 'FORMAT_UNSUPPORTED')).toBe(true);
    expect(String(error)).toContain('format 2');
  });

  test.each([
    ['no format', { format: undefined }],
    ['format 0', { format: 0 }],
    ['format as text', { format: '1' }],
    ['cluster id 0', { clusterId: 0 }],
    ['a fraction as id', { memberId: 1.5 }],
    ['an id past 2^53', { memberId: 2 ** 53 }],
    ['no name', { name: undefined }],
    ['an empty name', { name: '' }],
    ['a short directory id', { dirId: 'abc' }],
    ['a directory id in capitals', { dirId: dirId.toUpperCase() }],
    ['a token that is no text', { token: 5 }],
    ['an empty token', { token: '' }],
    ['members that are no list', { members: {} }],
    ['a member without a name', { members: [{ id: 1 }] }],
    ['a member twice', { members: [record.members[0], record.members[0]] }],
    [
      'a name twice',
      {
        members: [
          { id: 1, name: 'a' },
          { id: 2, name: 'a' },
        ],
      },
    ],
    ['a null among the members', { members: [null] }],
    ['a member with more', { members: [{ id: 1, name: 'a', more: 1 }] }],
    ['a life 0', { life: { number: 0, tokens: [] } }],
    ['a life without tokens', { life: { number: 1 } }],
    ['a token of a life that is no number', { life: { number: 1, tokens: ['a'] } }],
    ['a life with more', { life: { number: 1, tokens: [], more: 1 } }],
    ['a directory that is not rolled back', { rolledBack: false }],
    ['a peer without directory', { peers: [{ memberId: 8 }] }],
    ['a peer of a term below 0', { peers: [{ memberId: 8, dirId, term: -1 }] }],
    ['a peer twice', { peers: [record.peers[0], record.peers[0]] }],
    ['an unknown field', { color: 'red' }],
  ])('%s with a right checksum -> STATE_CORRUPT', async (_what, fields) => {
    expect(await readMemberFile(forged({ ...record }), 'data')).toEqual(record);
    const fs = forged({ ...record, ...fields });
    await expect(readMemberFile(fs, 'data')).rejects.toSatisfy(corrupt);
  });

  test.each([[[]], [[1]], [{}]])('%j with a right checksum -> STATE_CORRUPT', async (value) => {
    await expect(readMemberFile(forged(value), 'data')).rejects.toSatisfy(corrupt);
  });

  test('writing a record that could not be read back -> assertion, nothing touched', async () => {
    const fs = await written();
    fs.steps.length = 0;
    await expect(writeMemberFile(fs, 'data', { ...record, name: '' })).rejects.toSatisfy((e) =>
      isKontikiError(e, 'ASSERTION'),
    );
    expect(fs.steps).toEqual([]);
  });
});
