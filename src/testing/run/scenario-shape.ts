/** What the fields of a scenario must be: one that nobody looks at would be a run that is not what it says. */
import type { StoreTuning } from '../../assembly/store-config.js';
import { changeShapes } from '../changes/change-shapes.js';
import { aPath, faultShapes } from '../faults/fault-shapes.js';
import {
  aList,
  among,
  anAmount,
  anInteger,
  anObject,
  type Expected,
  type Mismatch,
  mismatchOf,
  optional,
  type Shape,
  shaped,
} from '../shape.js';
import { type CallWeights, usualCalls } from '../workload/call-weights.js';
import type { Scenario, ScheduledChange, ScheduledFault } from './scenario.js';

const tuning: Shape<StoreTuning> = {
  segmentBytes: optional(anAmount),
  retention: optional(anObject),
  snapshotChunkBytes: optional(anAmount),
  snapshotBytesPerSecond: optional(anAmount),
  logCacheBytes: optional(anAmount),
  flushIntervalMs: optional(anAmount),
  sortKeysMax: optional(anAmount),
  aheadBytesMin: optional(anAmount),
  watcherEventsMax: optional(anAmount),
  versionCacheBytes: optional(anAmount),
  leaseCheckpointMs: optional(anAmount),
  history: optional(anObject),
};

const callNames: readonly (keyof CallWeights)[] = [
  ...(Object.keys(usualCalls) as (keyof CallWeights)[]),
  'renew',
];
const calls = Object.fromEntries(callNames.map((name) => [name, optional(anAmount)]));

const scenario: Shape<Scenario> = {
  seed: anInteger(-Number.MAX_SAFE_INTEGER),
  members: anInteger(1, 7),
  durationMs: anAmount,
  faults: aList,
  changes: optional(aList),
  clients: anInteger(1),
  pauseMs: anInteger(1),
  keys: anInteger(1),
  path: optional(aPath),
  tuning: optional(shaped(tuning)),
  load: optional(among('calls', 'locks')),
  tickMs: optional(anInteger(1)),
  calls: optional(shaped(calls)),
  timeoutMs: optional(anInteger(1)),
  leaseSeconds: optional(anInteger(1)),
  backupEveryMs: optional(anInteger(1)),
  watchers: optional(anInteger(0)),
};

const atMs: Expected = { text: 'a time of at least 0', isMet: anAmount.isMet };
const scheduledFault: Shape<ScheduledFault> = { atMs, fault: anObject };
const scheduledChange: Shape<ScheduledChange> = { atMs, change: anObject };

/**
 * The first thing in a scenario that is not as it must be.
 *
 * @since 0.1.0
 */
export function scenarioMismatch(value: Scenario): Mismatch | undefined {
  const whole = mismatchOf('scenario.', value, scenario);
  if (whole !== undefined) return whole;
  for (const [at, each] of value.faults.entries()) {
    const where = `faults[${at}].`;
    const found =
      mismatchOf(where, each, scheduledFault) ??
      kindMismatch(`${where}fault.`, each.fault, faultShapes) ??
      lateMismatch(where, each, value);
    if (found !== undefined) return found;
  }
  for (const [at, each] of (value.changes ?? []).entries()) {
    const where = `changes[${at}].`;
    const found =
      mismatchOf(where, each, scheduledChange) ??
      kindMismatch(`${where}change.`, each.change, changeShapes) ??
      lateMismatch(where, each, value);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What comes later would meet a group that was healed, and owes liveness. */
function lateMismatch(
  where: string,
  { atMs: got }: { readonly atMs: number },
  { durationMs }: Scenario,
): Mismatch | undefined {
  if (got <= durationMs) return undefined;
  return { name: `${where}atMs`, expected: `within durationMs, ${durationMs}`, got };
}

function kindMismatch<K extends string>(
  where: string,
  value: { readonly kind: K },
  shapes: { readonly [Each in K]: Readonly<Record<string, Expected>> },
): Mismatch | undefined {
  const kinds = Object.keys(shapes);
  if (!kinds.includes(value.kind)) {
    return { name: `${where}kind`, expected: `among ${kinds.join(', ')}`, got: value.kind };
  }
  return mismatchOf(where, value, { kind: among(value.kind), ...shapes[value.kind] });
}
