/**
 * `kontiki check DIR`: reads a stopped member's directory from the first byte to the last, and says
 * whether what it acknowledged is still there. It never writes, so it can be pointed at a directory
 * whose member refuses to start.
 */
import { isKontikiError, type KontikiError } from '../base/errors.js';
import { type MemberRecord, memberFileName, readMemberFile } from '../storage/member-file.js';
import { formatVersion, readWal, type WalSummary } from '../storage/wal/index.js';
import { type CommandContext, type ExitCode, misused } from './command.js';
import { LogContents } from './log-contents.js';

/**
 * Prints what the directory holds, then the first damage, if there is any.
 *
 * @param args - one path
 * @returns 0 intact, 1 damaged, 2 wrong usage or nothing to check
 * @throws {KontikiError} STORAGE_IO, FORMAT_UNSUPPORTED, DIR_LOCKED
 */
export async function check(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const [dir, ...rest] = args;
  if (dir === undefined || rest.length > 0) return misused(context, 'check expects one directory');
  try {
    return await checkDirectory(dir, context);
  } catch (error) {
    if (!isDamage(error)) throw error;
    printField(context, 'damage', `${error.code}: ${error.message}`);
    if (isKontikiError(error, 'WAL_CORRUPT')) {
      printField(context, 'first at', `${error.file} byte ${error.offset}`);
    }
    return 1;
  }
}

async function checkDirectory(dir: string, context: CommandContext): Promise<ExitCode> {
  const { fs } = context;
  const member = await readMemberFile(fs, dir);
  const segments = await fs.list(`${dir}/wal`);
  if (member === undefined && segments.length === 0) {
    return misused(context, `expected a data directory with a ${memberFileName} in '${dir}'`);
  }
  if (member !== undefined) printMember(member, context);
  const contents = new LogContents();
  const wal = await readLog(dir, contents, context);
  if (member === undefined) return checkUnclaimed(contents, dir, context);
  if (contents.records === 0) {
    // The member file is written after the log, so a log of nothing was lost (DESIGN §4.10).
    printField(context, 'damage', `WAL_CORRUPT: expected the log of ${member.name} in ${dir}/wal`);
    return 1;
  }
  printTail(wal, context);
  printField(context, 'keyspace', 'not checked; the member verifies it when it opens');
  context.print('ok');
  return 0;
}

/** Verifies every record; prints what was read also when the rest is damaged. */
async function readLog(
  dir: string,
  contents: LogContents,
  context: CommandContext,
): Promise<WalSummary> {
  const { fs } = context;
  try {
    return await readWal({
      fs,
      dir: `${dir}/wal`,
      visit: (record, place) => contents.add(record, place),
    });
  } finally {
    for (const [name, value] of contents.describe(formatVersion)) printField(context, name, value);
  }
}

/** A log without an owner: harmless before the first start was done, a loss after it. */
function checkUnclaimed(contents: LogContents, dir: string, context: CommandContext): ExitCode {
  if (contents.lastIndex === 0) {
    printField(context, 'note', 'the first start of this member was interrupted; start it again');
    context.print('ok');
    return 0;
  }
  const problem = `expected a ${memberFileName} in ${dir}: without it nobody knows whose log this is`;
  printField(context, 'damage', `STATE_CORRUPT: ${problem}`);
  return 1;
}

function printMember(member: MemberRecord, context: CommandContext): void {
  const { name, memberId, clusterId, dirId, format, members } = member;
  printField(context, 'member', `${name}, id ${memberId}, directory ${dirId}`);
  const names = members.map(({ id, name: other }) => `${other} (${id})`);
  printField(context, 'cluster', `${clusterId}, started with ${names.join(', ')}`);
  printField(context, 'member file', `format ${format}`);
}

function printTail({ history, torn, leftOver }: WalSummary, context: CommandContext): void {
  if (torn !== undefined) {
    const harmless = 'cut short by a crash and never acknowledged; opening the member removes it';
    const place = `in ${torn.file} at byte ${torn.offset}`;
    printField(context, 'note', `the last write, ${place}: ${harmless}`);
  }
  if (leftOver.length > 0) {
    const harmless = 'from before the start of the log; opening the member removes them';
    printField(context, 'note', `${leftOver.length} log files ${harmless}`);
  }
  if (history.installing !== undefined) {
    const { index } = history.installing.last;
    printField(context, 'note', `the snapshot of entry ${index} is not installed yet`);
  }
}

function printField({ print }: CommandContext, name: string, value: string): void {
  print(`${name.padEnd(12)} ${value}`);
}

function isDamage(error: unknown): error is KontikiError {
  return isKontikiError(error, 'WAL_CORRUPT') || isKontikiError(error, 'STATE_CORRUPT');
}
