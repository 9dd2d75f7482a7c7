/**
 * `kontiki sim`: runs whole clusters in virtual time, seed by seed, and says what broke. The simulator
 * is loaded here and nowhere else: the other commands work without it.
 */
import { type CommandContext, type ExitCode, misused, type Testing } from './command.js';
import { simHelp } from './help.js';
import { SimFindings } from './sim-findings.js';
import { type SimOptions, simOptions } from './sim-options.js';
import { SimProgress } from './sim-progress.js';

/**
 * @param args - options alone: see `kontiki sim --help`
 * @returns 0 every invariant held, 1 one was broken, 2 wrong usage
 * @throws {KontikiError} OPTIONS_INVALID; STORAGE_IO, NO_SPACE: what was found could not be written
 */
export async function sim(args: readonly string[], context: CommandContext): Promise<ExitCode> {
  const options = simOptions(args);
  const testing = await context.loadTesting();
  const profiles = [...testing.simProfiles.values()];
  if (options.help) {
    context.print(simHelp(profiles));
    return 0;
  }
  const profile = testing.simProfiles.get(options.profile);
  if (profile !== undefined) return runSeeds({ ...options, profile }, testing, context);
  const names = profiles.map(({ name }) => name).join(', ');
  return misused(context, `expected a profile of ${names}, got '${options.profile}'`);
}

type ChosenOptions = Omit<SimOptions, 'profile'> & {
  readonly profile: Parameters<Testing['runSeed']>[0];
};

async function runSeeds(
  options: ChosenOptions,
  testing: Testing,
  context: CommandContext,
): Promise<ExitCode> {
  const { seed: first, seeds = Infinity, spanMs = Infinity, profile } = options;
  const endMs = context.clock.monotonicMs() + spanMs;
  const totals = new testing.SimTotals();
  const marks = testing.declaredMarks(profile);
  const progress = new SimProgress(totals, { name: profile.name, first, marks }, context);
  const findings = new SimFindings(options, testing, context);
  for (let seed = first; seed < first + seeds; seed += 1) {
    const run = await testing.runSeed(profile, seed);
    totals.add(run);
    progress.tell();
    if (run.violation !== undefined) await findings.tell(run, run.violation);
    if (context.clock.monotonicMs() >= endMs) break;
  }
  progress.end();
  return totals.violations.length === 0 ? 0 : 1;
}
