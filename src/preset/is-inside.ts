/**
 * Whether a file is, or would be made, in a directory or a folder of it: by whatever links or spellings
 * the two are told.
 */
import { type BigIntStats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fixedDirectory } from './fixed-paths.js';

/** @since 0.1.0 */
export function isInside(file: string, directory: string): boolean {
  const folder = found(fixedDirectory(directory));
  if (folder === undefined) return false;
  let at = fixedDirectory(file);
  for (let above = dirname(at); above !== at; above = dirname(at)) {
    at = above;
    const one = found(at);
    if (one?.dev === folder.dev && one.ino === folder.ino) return true;
  }
  return false;
}

function found(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}
