/**
 * Paths that stay where they were meant. A relative one is looked up from the working directory each time
 * a file is opened, and links on the way are followed each time: after a `process.chdir`, or a deployment
 * that switches `current` to the next release, a member would go on in another folder, and write over
 * whoever lives there.
 */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { StoreConfig } from '../assembly/store-config.js';
import type { TlsOptions } from '../transport/tls-options.js';

/**
 * @param config - as it was given, in the turn of the call
 * @returns the same with absolute paths; certificates are still found through links, which are switched
 *   when they are renewed
 * @since 0.1.0
 */
export function withFixedPaths<C extends StoreConfig>(config: C): C {
  const { dir, tls } = config;
  return {
    ...config,
    dir: dir === undefined ? undefined : fixedDirectory(dir),
    tls: tls === undefined ? undefined : fixedTls(tls),
  };
}

/**
 * Where a directory is now, or will be made: without links on the way.
 *
 * @since 0.1.0
 */
export function fixedDirectory(path: string): string {
  const own = resolve(path);
  try {
    return realpathSync(own);
  } catch {
    // Whatever is wrong with it is told by who opens it.
    const above = dirname(own);
    return above === own ? own : join(fixedDirectory(above), basename(own));
  }
}

function fixedTls({ ca, cert, key }: TlsOptions): TlsOptions {
  return { ca: fixed(ca), cert: fixed(cert), key: fixed(key) };
}

function fixed(source: string | Uint8Array): string | Uint8Array {
  return typeof source === 'string' ? resolve(source) : source;
}
