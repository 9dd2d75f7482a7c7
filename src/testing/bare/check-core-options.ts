/** Options of `simulateCores`, checked as a whole before anything runs. */
import { kontikiError } from '../../base/errors.js';
import {
  aBoolean,
  aFunction,
  aList,
  anAmount,
  anInteger,
  anObject,
  type Expected,
  mismatchOf,
  optional,
  type Shape,
  shaped,
} from '../shape.js';
import { shown } from '../shown.js';
import type { BareFaults } from './bare-faults.js';
import type { BareLoadOptions } from './bare-load.js';
import type { SimulateCoresOptions } from './simulate-cores.js';

const rare = shaped({ everyMs: anAmount });
const lasting = shaped({ everyMs: anAmount, forMs: anAmount });
const span: Expected = {
  text: 'the least and the most, at least 0',
  isMet: (value) => Array.isArray(value) && value.length === 2 && value.every(anAmount.isMet),
};

const faults: Shape<BareFaults> = {
  delayMinUs: anAmount,
  delayMeanUs: anAmount,
  dropRate: anAmount,
  duplicateRate: anAmount,
  reorder: aBoolean,
  partition: lasting,
  crash: lasting,
  crashEffects: anAmount,
  pause: lasting,
  writeUs: span,
  slowDisk: lasting,
  applyUs: span,
  compact: rare,
  change: rare,
  transfer: rare,
  rumour: rare,
  driftPpm: anAmount,
};
const someFaults = Object.fromEntries(
  Object.entries(faults).map(([name, each]) => [name, optional(each)]),
);

const load: Shape<BareLoadOptions> = {
  proposalsPerSecond: optional(anAmount),
  readsPerSecond: optional(anAmount),
  commandBytes: optional(anInteger(8)),
};

const presets = ['swarm', 'all', 'none'];

const options: Shape<SimulateCoresOptions> = {
  seed: anInteger(-Number.MAX_SAFE_INTEGER),
  members: optional(anInteger(1)),
  spares: optional(anInteger(0)),
  durationMs: optional(anAmount),
  faults: {
    text: `among ${presets.join(', ')}, an object, or absent`,
    isMet: (value) =>
      value === undefined || presets.includes(value as string) || anObject.isMet(value),
  },
  checks: optional(aList),
  load: optional(shaped(load)),
  core: optional(anObject),
  tickMs: optional(anInteger(1)),
  recoveryMs: optional(anAmount),
  traceLines: optional(anInteger(0)),
  onNode: optional(aFunction),
};

/**
 * Throws unless options are as they must be; those of the cores are checked by each core.
 *
 * @throws {KontikiError} OPTIONS_INVALID
 * @since 0.1.0
 */
export function checkCoreOptions(given: SimulateCoresOptions): void {
  const found = anObject.isMet(given)
    ? (mismatchOf('', given, options) ?? faultsMismatch(given))
    : { name: 'options', expected: anObject.text, got: given };
  if (found === undefined) return;
  const { name, expected, got } = found;
  const message = `simulateCores: expected ${name} to be ${expected}, got ${shown(got)}`;
  throw kontikiError('OPTIONS_INVALID', message);
}

function faultsMismatch({ faults: given }: SimulateCoresOptions) {
  return typeof given === 'object' ? mismatchOf('faults.', given, someFaults) : undefined;
}
