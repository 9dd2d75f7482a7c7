// Looking for space takes it: a process that ends meanwhile must give it back, or nobody can open the store again.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FileSystem } from '../../src/storage/file-system.js';
import { hasSpaceFor } from '../../src/storage/has-space.js';
import { nodeFileSystem } from '../../src/storage/node-fs/index.js';

test('killed while it looks for space -> what it took is free again: the file has no name by then', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'kontiki-space-'));
  const seen: string[] = [];
  const fs: FileSystem = {
    ...nodeFileSystem,
    open: async (...args) => {
      const file = await nodeFileSystem.open(...args);
      const write = file.write.bind(file);
      file.write = async (at, parts) => {
        await write(at, parts);
        // A kill here leaves what has a name.
        seen.push(...(await nodeFileSystem.list(dir)));
      };
      return file;
    },
  };
  try {
    expect(await hasSpaceFor(fs, `${dir}/space.tmp`, 1024 * 1024)).toBe(true);
    expect(seen).toEqual([]);
    expect(await nodeFileSystem.list(dir)).toEqual([]);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
