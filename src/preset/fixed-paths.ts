/**
 * Paths that stay where they were meant. A relative one is looked up from the working directory each time
 * a file is opened, so after a `process.chdir` a member would go on in another folder, and write over
 * whoever lives there.
 */
import { resolve } from 'node:path';
import type { StoreConfig } from '../assembly/store-config.js';
import type { TlsOptions } from '../transport/tls-options.js';

/**
 * @param config - as it was given, in the turn of the call
 * @returns the same with absolute paths
 * @since 0.1.0
 */
export function withFixedPaths<C extends StoreConfig>(config: C): C {
  const { dir, tls } = config;
  return {
    ...config,
    dir: dir === undefined ? undefined : resolve(dir),
    tls: tls === undefined ? undefined : fixedTls(tls),
  };
}

function fixedTls({ ca, cert, key }: TlsOptions): TlsOptions {
  return { ca: fixed(ca), cert: fixed(cert), key: fixed(key) };
}

function fixed(source: string | Uint8Array): string | Uint8Array {
  return typeof source === 'string' ? resolve(source) : source;
}
