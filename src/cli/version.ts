/**
 * The version of the package this program is part of, read when asked for, so that no build step has
 * to copy it into the code.
 */
import { assert } from '../base/assert.js';
import { utf8Text } from '../base/bytes.js';
import type { FileSystem } from '../storage/file-system.js';

/** @param packageFile - path of `package.json` */
export async function readVersion(fs: FileSystem, packageFile: string): Promise<string> {
  const bytes = await fs.readFile(packageFile);
  assert(bytes !== undefined, `cli: ${packageFile} is part of the package`);
  const { version } = JSON.parse(utf8Text(bytes)) as { readonly version: string };
  return version;
}
