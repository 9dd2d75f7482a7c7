/**
 * What every command of the program gets and gives.
 */
import type { Clock } from '../base/clock.js';
import type { FileSystem } from '../storage/file-system.js';

/** Exit statuses: nothing wrong, damage found, and could not even try. */
export type ExitCode = 0 | 1 | 2;

/** The simulator, as its entry point gives it. */
export type Testing = typeof import('../testing/index.js');

/** What a command works with. */
export interface CommandContext {
  readonly fs: FileSystem;
  /** Who has a directory open, in words; `undefined` when nobody has. */
  readonly lockHolder: (dir: string) => Promise<string | undefined>;
  /** Path of the `package.json` the program belongs to. */
  readonly packageFile: string;
  readonly clock: Clock;
  /** Loads the simulator, which only one command needs. */
  readonly loadTesting: () => Promise<Testing>;
  /** Takes a line that the next one replaces; `undefined` where lines stay. */
  readonly update: ((line: string) => void) | undefined;
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
