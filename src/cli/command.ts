/**
 * What every command of the program gets and gives.
 */
import type { FileSystem } from '../storage/file-system.js';

/** Exit statuses: nothing wrong, damage found, and could not even try. */
export type ExitCode = 0 | 1 | 2;

/** What a command works with. */
export interface CommandContext {
  readonly fs: FileSystem;
  /** Path of the `package.json` the program belongs to. */
  readonly packageFile: string;
  /** Takes a line of the answer. */
  readonly print: (line: string) => void;
  /** Takes a line about what went wrong. */
  readonly printError: (line: string) => void;
}

/** A command; `args` are the words after its name. */
export type Command = (args: readonly string[], context: CommandContext) => Promise<ExitCode>;

/** Says how a command is used wrongly; for commands as well. */
export function misused({ printError }: CommandContext, problem: string): ExitCode {
  printError(`kontiki: ${problem}; 'kontiki --help' lists the commands`);
  return 2;
}
