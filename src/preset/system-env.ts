/**
 * The platform as an environment: Node's clock, files, sockets and LevelDB. Loaded only by
 * `openStore`, so that importing kontiki loads no native addon and no socket.
 */
import { createHash, webcrypto } from 'node:crypto';
import type { StoreConfig } from '../assembly/store-config.js';
import { systemClock, systemTimers } from '../base/clock.js';
import type { Crc32 } from '../base/crc32.js';
import type { Random } from '../base/prng.js';
import type { Env } from '../node/env.js';
import { MemoryHub } from '../transport/memory-hub.js';
import type { Transport } from '../transport/transport.js';

/** The platform's generator, fetched in blocks. @since 0.1.0 */
export class SystemRandom implements Random {
  readonly #block = new Uint32Array(256);
  #at = 256;

  u32(): number {
    if (this.#at === this.#block.length) {
      webcrypto.getRandomValues(this.#block);
      this.#at = 0;
    }
    this.#at += 1;
    return this.#block[this.#at - 1] as number;
  }
}

/**
 * @param config - whom the transport is for
 * @since 0.1.0
 */
export async function systemEnv(config: StoreConfig): Promise<Env> {
  const [{ nodeFileSystem }, { openClassicLevel }] = await Promise.all([
    import('../storage/node-fs/index.js'),
    import('../storage/classic-level/index.js'),
  ]);
  const random = new SystemRandom();
  return {
    clock: systemClock,
    timers: systemTimers,
    random,
    fs: nodeFileSystem,
    openEngine: (path) => openClassicLevel(path, { fs: nodeFileSystem, clock: systemClock }),
    sha256: () => createHash('sha256'),
    transport: await systemTransport(config, random, nodeFileSystem.crc32),
  };
}

async function systemTransport(
  config: StoreConfig,
  random: Random,
  crc32: Crc32,
): Promise<Transport> {
  const { listen, memberId } = config;
  const timers = systemTimers;
  if (listen === undefined) {
    return new MemoryHub({ timers }).transport({ address: config.name, peers: new Map() });
  }
  const { TcpTransport } = await import('../transport/tcp/index.js');
  const peers = new Map<number, string>();
  for (const { id, address } of config.members) {
    if (id !== memberId && address !== undefined) peers.set(id, address);
  }
  return new TcpTransport({ listen, peers, timers, random, crc32 });
}
