/** A copy of the project, to break on purpose. */
import { cp, mkdir, mkdtemp, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Copies what tests and simulations need. @returns the folder, which the caller removes */
export async function copyOfProject(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'kontiki-mutants-'));
  for (const part of ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    await cp(join(root, part), join(dir, part), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
  // Fixtures stand beside the project.
  const fixtures = process.env.KONTIKI_RAFT_FIXTURES ?? join(root, '../shared/fixtures/raft');
  process.env.KONTIKI_RAFT_FIXTURES = fixtures;
  await mkdir(join(dir, 'out'));
  return dir;
}
