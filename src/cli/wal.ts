/**
 * `kontiki wal dump DIR`: every record of a stopped member's log, up to where it ends or is damaged.
 */
import { dumpWal } from '../storage/wal/index.js';
import { type CommandContext, type ExitCode, misused } from './command.js';

/**
 * @param args - `dump`, and the path of a data directory or of the log in it
 * @returns 0 intact, 1 damaged, 2 wrong usage or no log
 * @throws {KontikiError} STORAGE_IO, FORMAT_UNSUPPORTED
 */
export async function wal(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const [action, dir, ...rest] = args;
  if (action !== 'dump') return misused(context, "wal expects 'dump' and a directory");
  if (dir === undefined || rest.length > 0) {
    return misused(context, 'wal dump expects one directory');
  }
  const { fs, print } = context;
  const log = await findLog(dir, context);
  if (log === undefined) return misused(context, `expected a log in '${dir}'`);
  const { damage } = await dumpWal({ fs, dir: log, print });
  return damage === undefined ? 0 : 1;
}

/** The directory itself, or the log's place in a data directory. */
async function findLog(dir: string, { fs }: CommandContext): Promise<string | undefined> {
  for (const place of [`${dir}/wal`, dir]) {
    const names = await fs.list(place);
    if (names.some((name) => name.endsWith('.wal'))) return place;
  }
  return undefined;
}
