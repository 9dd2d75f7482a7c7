/**
 * The errors of a log that cannot be trusted.
 */
import { upgradeAdvice } from '../../base/advice.js';
import { type KontikiErrorOf, kontikiError } from '../../base/errors.js';
import { formatVersion } from './format.js';

const advice =
  'Nothing was changed on disk. Restore this member from a backup, or remove it from its cluster ' +
  'and add it again under a new id. Never delete the file to continue: this member may have ' +
  'acknowledged what was in it.';

/** Acknowledged records may be lost. */
export function walCorrupt(
  file: string,
  offset: number,
  reason: string,
): KontikiErrorOf<'WAL_CORRUPT'> {
  return kontikiError(
    'WAL_CORRUPT',
    `log file ${file} is damaged at byte ${offset}: ${reason}. ${advice}`,
    {
      file,
      offset,
    },
  );
}

/** A later release wrote this. */
export function walUnsupported(file: string, what: string): KontikiErrorOf<'FORMAT_UNSUPPORTED'> {
  return kontikiError(
    'FORMAT_UNSUPPORTED',
    `log file ${file} has ${what}, this release reads format version ${formatVersion}: ` +
      upgradeAdvice,
  );
}
