/**
 * The platform as an environment: Node's clock, files, sockets and LevelDB. Files, sockets and LevelDB are
 * loaded only when a member is opened, so that importing kontiki loads no native addon and no socket.
 */
import { createHash, webcrypto } from 'node:crypto';
import type { StoreConfig } from '../assembly/store-config.js';
import { systemClock, systemTimers } from '../base/clock.js';
import type { Crc32 } from '../base/crc32.js';
import type { Random } from '../base/prng.js';
import type { RunningHash } from '../base/sha256.js';
import { SystemRandom } from '../base/system-random.js';
import type { Env } from '../node/env.js';
import type { OpenEngine } from '../storage/kv-engine.js';
import { MemoryHub } from '../transport/memory-hub.js';
import type { Transport } from '../transport/transport.js';
import { kernelLock } from './kernel-lock.js';
import { systemTracing } from './system-tracing.js';

/** The platform's SHA-256. @since 0.1.0 */
export const systemSha256 = (): RunningHash => createHash('sha256');

/** All of the platform but the network. @since 0.1.0 */
export async function systemStorage(): Promise<Omit<Env, 'transport'>> {
  const [{ nodeFileSystem: fs }, { checkInPlace, lockDirectory }, { openClassicLevel }] =
    await Promise.all([
      import('../storage/node-fs/index.js'),
      import('../storage/node-fs/lock.js'),
      import('../storage/classic-level/index.js'),
    ]);
  const openEngine: OpenEngine = (path) => {
    // LevelDB opens its files by their path, in the middle of a write.
    const beforeWrite = () => checkInPlace(path);
    return openClassicLevel(path, { fs, clock: systemClock, beforeWrite });
  };
  return {
    clock: systemClock,
    timers: systemTimers,
    // Not the global one, which test environments replace.
    random: new SystemRandom(webcrypto),
    fs: { ...fs, lock: (path) => lockDirectory(path, kernelLock({ fs, openEngine })) },
    openEngine,
    sha256: systemSha256,
  };
}

/**
 * @param config - whom the transport is for
 * @param storage - default: that of the platform
 * @since 0.1.0
 */
export async function systemEnv(
  config: StoreConfig,
  storage?: Omit<Env, 'transport'>,
): Promise<Env> {
  const own = storage ?? (await systemStorage());
  const transport = await systemTransport(config, own.random, own.fs.crc32);
  return { ...own, transport, tracing: systemTracing, logger: config.logger };
}

async function systemTransport(
  config: StoreConfig,
  random: Random,
  crc32: Crc32,
): Promise<Transport> {
  const { listen, memberId, tls } = config;
  const timers = systemTimers;
  if (listen === undefined) {
    return new MemoryHub({ timers }).transport({ address: config.name, peers: new Map() });
  }
  const { TcpTransport } = await import('../transport/tcp/index.js');
  const peers = new Map<number, string>();
  for (const { id, address } of config.members) {
    if (id !== memberId && address !== undefined) peers.set(id, address);
  }
  return new TcpTransport({ listen, peers, timers, random, crc32, tls });
}
