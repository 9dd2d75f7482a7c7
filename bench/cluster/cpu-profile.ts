/**
 * Stacks and processor time of this process, between two moments.
 */
import { readFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector/promises';

/** Processor time of one process, in microseconds. */
export interface Usage {
  /** Of all its threads. */
  readonly cpuUs: number;
  /** Of its main thread; absent where the system does not tell. */
  readonly mainUs?: number | undefined;
  /** What its main thread did, if that was asked for. */
  readonly profile?: Profiler.Profile | undefined;
}

/** Fine enough for a stage that takes a hundredth, and cheap enough to change little. */
const samplingUs = 500;

let before: NodeJS.CpuUsage | undefined;
let mainBeforeUs: number | undefined;
let session: Session | undefined;

/** @param withProfile - whether stacks are taken, which costs a few percent */
export async function startUsage(withProfile: boolean): Promise<void> {
  if (withProfile) {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: samplingUs });
    await session.post('Profiler.start');
  }
  mainBeforeUs = mainThreadUs();
  before = process.cpuUsage();
}

/** Ends what {@link startUsage} began. */
export async function endUsage(): Promise<Usage> {
  const { user, system } = process.cpuUsage(before);
  const cpuUs = user + system;
  const mainUs = mainBeforeUs && (mainThreadUs() ?? 0) - mainBeforeUs;
  if (session === undefined) return { cpuUs, mainUs };
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  session = undefined;
  return { cpuUs, mainUs, profile };
}

/** Linux tells it in nanoseconds. */
function mainThreadUs(): number | undefined {
  try {
    const text = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8');
    return Number.parseInt(text, 10) / 1_000;
  } catch {
    return undefined;
  }
}
