/**
 * `kontiki check DIR`: reads a stopped member's directory from the first byte to the last, and says
 * whether what it acknowledged is still there. It never writes, so it can be pointed at a directory
 * whose member refuses to start.
 */
import { isKontikiError, type KontikiError, kontikiError } from '../base/errors.js';
import { KeyspaceAudit } from '../mvcc/index.js';
import { checkDirectory, memberFileName } from '../storage/index.js';
import { type CommandContext, type ExitCode, misused } from './command.js';
import { describeDirectory } from './directory-contents.js';
import { LogContents } from './log-contents.js';

/**
 * Prints what the directory holds, then all damage, the first of each part.
 *
 * @param args - one path
 * @returns 0 intact, 1 damaged, 2 wrong usage, nothing to check, a part that cannot be read, or a member
 *   that was set aside
 * @throws {KontikiError} STORAGE_IO; DIR_LOCKED when a running member has it open, which writes while
 *   it would be read
 */
export async function check(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const [dir, ...rest] = args;
  if (dir === undefined || rest.length > 0) return misused(context, 'check expects one directory');
  await refuseRunning(dir, context);
  const log = new LogContents();
  const audit = new KeyspaceAudit();
  const found = await checkDirectory({
    ...{ fs: context.fs, dir, audit },
    visitLog: (record, place) => log.add(record, place),
  });
  // A member that was started meanwhile may be what the damage is.
  await refuseRunning(dir, context);
  if (found === undefined) {
    return misused(context, `expected a data directory with a ${memberFileName} in '${dir}'`);
  }
  for (const [name, value] of describeDirectory(found, log, audit)) {
    printField(context, name, value);
  }
  for (const problem of found.problems) printProblem(context, problem);
  if (found.problems.some(isDamage)) return 1;
  if (found.problems.length > 0) return 2;
  context.print('ok');
  return 0;
}

async function refuseRunning(dir: string, { lockHolder }: CommandContext): Promise<void> {
  const holder = await lockHolder(dir);
  if (holder === undefined) return;
  const message = `${holder} has ${dir} open; stop that member first`;
  throw kontikiError('DIR_LOCKED', message);
}

function printProblem(context: CommandContext, problem: KontikiError): void {
  const { code, message } = problem;
  if (!isDamage(problem)) return context.printError(`kontiki: ${code}: ${message}`);
  printField(context, 'damage', `${code}: ${message}`);
  if (isKontikiError(problem, 'WAL_CORRUPT') || isKontikiError(problem, 'SNAPSHOT_CORRUPT')) {
    printField(context, 'first at', `${problem.file} byte ${problem.offset}`);
  }
}

function printField({ print }: CommandContext, name: string, value: string): void {
  print(`${name.padEnd(12)} ${value}`);
}

function isDamage({ code }: KontikiError): boolean {
  return code === 'WAL_CORRUPT' || code === 'STATE_CORRUPT' || code === 'SNAPSHOT_CORRUPT';
}
