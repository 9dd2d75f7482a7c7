// Goal: certificates that could not be read in the moment they were renewed are taken as soon as they can
// be, though nothing about the files changes any more by which that could be told.
import fs from 'node:fs';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TlsCredentials } from '../../../src/transport/tcp/tls-credentials.js';
import type { TlsOptions } from '../../../src/transport/tls-options.js';
import { Authority, type Pair } from './certificates.js';

let dir: string;
let ours: Authority;
let told: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kontiki-tls-'));
  ours = await Authority.make();
  told = [];
});
afterEach(async () => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  await rm(dir, { recursive: true });
});

const paths = (): TlsOptions => ({
  ca: join(dir, 'ca.pem'),
  cert: join(dir, 'cert.pem'),
  key: join(dir, 'key.pem'),
});

async function write({ cert, key }: Pair): Promise<void> {
  await writeFile(join(dir, 'ca.pem'), ours.ca);
  await writeFile(join(dir, 'cert.pem'), cert);
  await writeFile(join(dir, 'key.pem'), key);
}

const keyOf = (credentials: TlsCredentials) => String(credentials.current().settings.key);
const made = () => new TlsCredentials(paths(), ({ message }) => told.push(message));

test('no descriptor is left when the files have changed -> used once there is one, reported once', async () => {
  const [before, renewed] = [await ours.sign(), await ours.sign()];
  await write(before);
  const credentials = made();
  await write(renewed);
  vi.spyOn(fs, 'readFileSync').mockImplementation(() => {
    throw Object.assign(new Error('EMFILE: too many open files'), {
      code: 'EMFILE',
      syscall: 'open',
    });
  });
  syncBuiltinESMExports();
  for (let connection = 0; connection < 3; connection += 1) {
    expect(keyOf(credentials)).toBe(String(before.key));
  }
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  expect(keyOf(credentials)).toBe(String(renewed.key));
  expect(told.length).toBe(1);
});

test('EMFILE, then the renewed certificate is found to be damaged -> told of the damage, too', async () => {
  const before = await ours.sign();
  await write(before);
  const credentials = made();
  await writeFile(join(dir, 'cert.pem'), 'no certificate');
  vi.spyOn(fs, 'readFileSync').mockImplementation(() => {
    throw Object.assign(new Error('EMFILE: too many open files'), {
      code: 'EMFILE',
      syscall: 'open',
    });
  });
  syncBuiltinESMExports();
  credentials.current();
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  for (let n = 0; n < 5; n += 1) credentials.current();
  expect(told).toHaveLength(2);
});

// Skipped unless the process may become somebody who is not let in everywhere.
test('a key that is made readable behind its replacement -> used then, reported once', async (context) => {
  const { geteuid, seteuid } = process;
  if (geteuid?.() !== 0 || seteuid === undefined) return context.skip('needs root');
  const [before, renewed] = [await ours.sign(), await ours.sign()];
  await write(before);
  await chmod(dir, 0o755);
  const credentials = made();
  await write(renewed);
  const key = join(dir, 'key.pem');
  await chmod(key, 0o600);
  const use = () => {
    process.seteuid?.(65_534);
    try {
      return keyOf(credentials);
    } finally {
      process.seteuid?.(0);
    }
  };
  expect(use()).toBe(String(before.key));
  const { ino, mtimeMs, size } = await stat(key);
  await chmod(key, 0o644);
  expect(await stat(key)).toMatchObject({ ino, mtimeMs, size });
  expect(use()).toBe(String(renewed.key));
  expect(told.length).toBe(1);
});
