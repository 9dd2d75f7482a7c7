/**
 * `kontiki snapshot`: backups as files. `save` takes one of a stopped member, `status` says what is in
 * one, `restore` makes a member of a new cluster of it.
 */
import { parseArgs } from 'node:util';
import { type VerifiedBackup, verifyBackup } from '../backup/backup-file.js';
import { backupFormatVersion } from '../backup/header.js';
import { isKontikiError, kontikiError } from '../base/errors.js';
import type { StorageFile } from '../storage/file-system.js';
import { type CommandContext, type ExitCode, misused } from './command.js';
import { help } from './help.js';

/** What follows the action. */
interface Given {
  readonly file: string;
  readonly dir: string | undefined;
  readonly name: string | undefined;
  readonly cluster: string | undefined;
  readonly token: string | undefined;
  readonly 'bump-revision': string | undefined;
}

const actions = { save, status, restore } as const;

const optionsOf: Readonly<Record<keyof typeof actions, readonly (keyof Given)[]>> = {
  save: ['dir', 'token'],
  status: [],
  restore: ['dir', 'name', 'cluster', 'token', 'bump-revision'],
};

/**
 * @param args - an action, the file of a backup, and the options of that action
 * @returns 0 done, 1 the backup is damaged, 2 wrong usage or refused
 * @throws {KontikiError} what the action refuses with, but for damage
 */
export async function snapshot(
  args: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  const text = { type: 'string' } as const;
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...{ dir: text, name: text, cluster: text, token: text, 'bump-revision': text },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    context.print(help);
    return 0;
  }
  const [action, file, ...rest] = positionals;
  if (action === undefined || !Object.hasOwn(actions, action)) {
    return misused(context, `snapshot expects one of ${Object.keys(actions).join(', ')}`);
  }
  const known = action as keyof typeof actions;
  if (file === undefined || rest.length > 0) {
    return misused(context, `snapshot ${action} expects one file`);
  }
  const stranger = Object.keys(values).find(
    (name) => !optionsOf[known].includes(name as keyof Given),
  );
  if (stranger !== undefined) return misused(context, `snapshot ${action} takes no --${stranger}`);
  const { dir, name, cluster, token, 'bump-revision': bump } = values;
  try {
    return await actions[known](
      { file, dir, name, cluster, token, 'bump-revision': bump },
      context,
    );
  } catch (error) {
    if (!isKontikiError(error, 'SNAPSHOT_CORRUPT')) throw error;
    printField(context, 'damage', `${error.code}: ${error.message}`);
    return 1;
  }
}

/** The file has its name only when all of it is on the disk. */
async function save({ file, dir, token }: Given, context: CommandContext): Promise<ExitCode> {
  if (dir === undefined) return misused(context, 'snapshot save expects --dir');
  const { fs } = context;
  const temporary = `${file}.tmp`;
  const names = await fs.list(folderOf(file));
  for (const path of [file, temporary]) {
    // Another save may be writing the second: whatever it is, it is not ours.
    if (names.includes(path.slice(path.lastIndexOf('/') + 1))) {
      return misused(context, `expected no file '${path}'`);
    }
  }
  const { isInside } = await import('../preset/is-inside.js');
  // Under a name of the member's own it would be taken for a part of it.
  if (isInside(file, dir)) return misused(context, `expected '${file}' to be outside of '${dir}'`);
  const { openOfflineBackup } = await import('../preset/offline-backup.js');
  const { backup, isWhole, undecided, close } = await openOfflineBackup(dir, token);
  try {
    const made = await fs.open(temporary, 'create');
    try {
      await write(made, backup);
      await fs.rename(temporary, file);
      await fs.syncDirectory(folderOf(file));
    } catch (error) {
      await fs.remove(temporary).catch(() => undefined);
      throw error;
    }
  } finally {
    await close();
  }
  if (!isWhole) {
    const known = 'what this member knew to be committed; others may have acknowledged more';
    printField(context, 'note', known);
  }
  if (undecided > 0) {
    const entries = undecided === 1 ? '1 entry' : `${undecided} entries`;
    const fate = 'which may have been acknowledged: this backup ends before';
    printField(context, 'note', `its log goes on for ${entries}, ${fate}`);
  }
  return status({ file }, context);
}

async function write(file: StorageFile, chunks: AsyncIterable<Uint8Array>) {
  try {
    let offset = 0;
    for await (const chunk of chunks) {
      await file.write(offset, [chunk]);
      offset += chunk.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Reads all of it, as a restore does first. */
async function status(
  { file: path }: Pick<Given, 'file'>,
  context: CommandContext,
): Promise<ExitCode> {
  const { fs } = context;
  const { systemSha256 } = await import('../preset/system-env.js');
  const found = await verifyBackup({ fs, path, sha256: systemSha256 });
  for (const [name, value] of describe(found)) printField(context, name, value);
  return 0;
}

function describe({ audit, hash, info, size }: VerifiedBackup): [name: string, value: string][] {
  const { compactRevision, revision } = audit.meta;
  const { keys, leases } = audit.counts;
  return [
    ['hash', hash],
    ['revision', `${revision}, readable from ${Math.max(1, compactRevision)}`],
    ['keys', `${keys}`],
    ['leases', `${leases}`],
    ['size', `${size} bytes`],
    ['taken of', `cluster ${info.clusterId}, entry ${info.appliedIndex} of term ${info.term}`],
    ['state hash', audit.stateHash],
    ['format', `${backupFormatVersion}`],
  ];
}

async function restore(given: Given, context: CommandContext): Promise<ExitCode> {
  const { file: from, dir, name, token } = given;
  if (dir === undefined) return misused(context, 'snapshot restore expects --dir');
  const bumpText = given['bump-revision'];
  const bumpRevision = bumpText === undefined ? undefined : Number(bumpText);
  if (Number.isNaN(bumpRevision)) {
    return misused(context, `expected --bump-revision to be a number, got '${bumpText}'`);
  }
  const cluster = given.cluster === undefined ? undefined : membersOf(given.cluster);
  const { restoreStore } = await import('../preset/restore-store.js');
  const member = await restoreStore({ from, dir, name, token, cluster, bumpRevision });
  printField(context, 'cluster', `${member.clusterId}, which is new`);
  printField(context, 'member', `${name ?? 'main'}, id ${member.memberId}`);
  printField(context, 'revision', `${member.revision}`);
  return 0;
}

/** `a=host:port,b=host:port`. */
function membersOf(text: string): Record<string, string> {
  const members = new Map<string, string>();
  for (const member of text.split(',')) {
    const at = member.indexOf('=');
    const name = member.slice(0, Math.max(at, 0)).trim();
    if (name === '' || members.has(name)) {
      const message = `expected --cluster to be name=host:port,..., each name once, got '${text}'`;
      throw kontikiError('OPTIONS_INVALID', message);
    }
    members.set(name, member.slice(at + 1).trim());
  }
  return Object.fromEntries(members);
}

function folderOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end < 0 ? '.' : path.slice(0, Math.max(end, 1));
}

function printField({ print }: CommandContext, name: string, value: string): void {
  print(`${name.padEnd(12)} ${value}`);
}
