/**
 * Everything that can be made to go wrong, as one union of values, and the types that carry them out.
 */
import type { Random } from '../../base/prng.js';
import { type BrokenLinksFault, brokenLinksFault } from './broken-links.js';
import { type ClockFault, clockFault } from './clock-fault.js';
import { type ColdStateFault, coldStateFault } from './cold-state.js';
import { type CrashFault, crashFault } from './crash.js';
import { type CrashAtFault, crashAtFault } from './crash-at.js';
import { type CrashInstallingFault, crashInstallingFault } from './crash-installing.js';
import { type CutLinkFault, cutLinkFault } from './cut-link.js';
import { type DamagedFramesFault, damagedFramesFault } from './damaged-frames.js';
import { type DeposedFault, deposedFault } from './deposed.js';
import { type DiskFullFault, diskFullFault } from './disk-full.js';
import { type FailedFlushFault, failedFlushFault } from './failed-flush.js';
import { type FailedSyncFault, failedSyncFault } from './failed-sync.js';
import type { FaultContext, FaultType } from './fault-type.js';
import { type FlippedBitFault, flippedBitFault } from './flipped-bit.js';
import { type LeftBehindFault, leftBehindFault } from './left-behind.js';
import { type LostAnswersFault, lostAnswersFault } from './lost-answers.js';
import { type LostBatchFault, lostBatchFault } from './lost-batch.js';
import { type PartitionFault, partitionFault } from './partition.js';
import { type PauseFault, pauseFault } from './pause.js';
import { type PowerCutFault, powerCutFault } from './power-cut.js';
import { type RepeatedForwardsFault, repeatedForwardsFault } from './repeated-forwards.js';
import { type RolledBackFault, rolledBackFault } from './rolled-back.js';
import { type SlowDiskFault, slowDiskFault } from './slow-disk.js';
import { type SlowLinkFault, slowLinkFault } from './slow-link.js';
import { type StalledDiskFault, stalledDiskFault } from './stalled-disk.js';
import { type WeatherFault, weatherFault } from './weather.js';

/** @since 0.1.0 */
export type Fault =
  | BrokenLinksFault
  | ClockFault
  | ColdStateFault
  | CrashFault
  | CrashAtFault
  | CrashInstallingFault
  | CutLinkFault
  | DamagedFramesFault
  | DeposedFault
  | DiskFullFault
  | FailedFlushFault
  | FailedSyncFault
  | FlippedBitFault
  | LeftBehindFault
  | LostAnswersFault
  | LostBatchFault
  | PartitionFault
  | PauseFault
  | PowerCutFault
  | RepeatedForwardsFault
  | RolledBackFault
  | SlowDiskFault
  | SlowLinkFault
  | StalledDiskFault
  | WeatherFault;

/** @since 0.1.0 */
export type FaultKind = Fault['kind'];

type FaultTypes = { readonly [K in FaultKind]: FaultType<Extract<Fault, { readonly kind: K }>> };

const types: FaultTypes = {
  'broken-links': brokenLinksFault,
  clock: clockFault,
  'cold-state': coldStateFault,
  crash: crashFault,
  'crash-at': crashAtFault,
  'crash-installing': crashInstallingFault,
  'cut-link': cutLinkFault,
  'damaged-frames': damagedFramesFault,
  deposed: deposedFault,
  'disk-full': diskFullFault,
  'failed-flush': failedFlushFault,
  'failed-sync': failedSyncFault,
  'flipped-bit': flippedBitFault,
  'left-behind': leftBehindFault,
  'lost-answers': lostAnswersFault,
  'lost-batch': lostBatchFault,
  partition: partitionFault,
  pause: pauseFault,
  'power-cut': powerCutFault,
  'repeated-forwards': repeatedForwardsFault,
  'rolled-back': rolledBackFault,
  'slow-disk': slowDiskFault,
  'slow-link': slowLinkFault,
  'stalled-disk': stalledDiskFault,
  weather: weatherFault,
};

/** Every kind there is, in a fixed order. @since 0.1.0 */
export const faultKinds: readonly FaultKind[] = Object.keys(types).sort() as FaultKind[];

/**
 * Kinds that stay within what a machine of one's own is promised. A transport delivers at most once; a
 * write that arrives again under another leader takes effect again, unless the machine has sessions, as
 * a store has.
 *
 * @since 0.1.0
 */
export const machineFaultKinds: readonly FaultKind[] = faultKinds.filter(
  (kind) => kind !== 'repeated-forwards',
);

/**
 * Draws a fault of a kind.
 *
 * @since 0.1.0
 */
export function drawFault(kind: FaultKind, random: Random, members: readonly string[]): Fault {
  return types[kind].draw(random, members);
}

/**
 * Carries a fault out.
 *
 * @since 0.1.0
 */
export function injectFault(fault: Fault, context: FaultContext): void {
  const type = types[fault.kind] as FaultType<Fault>;
  type.inject(fault, context);
}
