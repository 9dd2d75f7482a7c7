/**
 * From words on a command line to a command, and from its outcome to an exit status.
 */
import { parseArgs } from 'node:util';
import { isKontikiError } from '../base/errors.js';
import { check } from './check.js';
import { type Command, type CommandContext, type ExitCode, misused } from './command.js';
import { help } from './help.js';
import { sim } from './sim.js';
import { snapshot } from './snapshot.js';
import { readVersion } from './version.js';
import { wal } from './wal.js';

const commands: ReadonlyMap<string, Command> = new Map([
  ['check', check],
  ['wal', wal],
]);

/** Those that have options of their own, and read them themselves. */
const commandsWithOptions: ReadonlyMap<string | undefined, Command> = new Map([
  ['sim', sim],
  ['snapshot', snapshot],
]);

/**
 * Runs the command that the words name.
 *
 * @param words - without the program's own name
 * @returns the exit status: 0 all well, 1 damage or a violation found, 2 wrong usage or unreadable
 */
export async function runCommandLine(
  words: readonly string[],
  context: CommandContext,
): Promise<ExitCode> {
  try {
    const [first, ...rest] = words;
    const withOptions = commandsWithOptions.get(first);
    if (withOptions !== undefined) return await withOptions(rest, context);
    const { values, positionals } = parse(words);
    if (values.help) return say(context, help);
    if (values.version) return say(context, await readVersion(context.fs, context.packageFile));
    const [name, ...args] = positionals;
    if (name === undefined) return misused(context, 'expected a command');
    const command = commands.get(name);
    if (command === undefined) return misused(context, `there is no command '${name}'`);
    return await command(args, context);
  } catch (error) {
    if (isUsageError(error)) return misused(context, error.message);
    context.printError(`kontiki: ${told(error)}`);
    return 2;
  }
}

function parse(words: readonly string[]) {
  return parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
}

function say({ print }: CommandContext, text: string): ExitCode {
  print(text);
  return 0;
}

/** What nobody expected is told, too: by itself it would end the process with 1, which means damage. */
function told(error: unknown): string {
  if (isKontikiError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function isUsageError(error: unknown): error is Error {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return String(error.code).startsWith('ERR_PARSE_ARGS');
}
