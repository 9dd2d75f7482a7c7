/**
 * One bit of a file that turns: the member must notice, and neither serve nor vote with it (Jepsen's
 * NATS report of 2025 tells of one that did).
 */
import { type Random, randomInt } from '../../base/prng.js';
import type { SimDisk } from '../sim-disk.js';
import { drawTarget } from './draw-target.js';
import type { FaultTarget, FaultType } from './fault-type.js';

/** @since 0.1.0 */
export interface FlippedBitFault {
  readonly kind: 'flipped-bit';
  readonly target: FaultTarget;
  /** Anywhere (default), or among the last bytes of the log: what a torn write could be taken for. */
  readonly where?: 'anywhere' | 'log-end' | undefined;
  /** Virtual milliseconds for which the member is down when it happens. */
  readonly downMs: number;
}

/** @since 0.1.0 */
export const flippedBitFault: FaultType<FlippedBitFault> = {
  kind: 'flipped-bit',
  draw: (random, members) => ({
    kind: 'flipped-bit',
    target: drawTarget(random, members),
    where: randomInt(random, 2) === 0 ? 'log-end' : 'anywhere',
    downMs: randomInt(random, 1_000),
  }),
  inject({ target, where, downMs }, { cluster, resolve, random, mayDamage, until, restart }) {
    const name = resolve(target);
    if (name === undefined || !mayDamage(name)) return;
    const { disk } = cluster.machine(name);
    cluster.crash(name, 'process');
    const byte = where === 'log-end' ? byteAtLogEnd(disk, random) : anyByte(disk, random);
    if (byte !== undefined) {
      disk.flipBit(byte.path, { offset: byte.offset, bit: randomInt(random, 8) });
    }
    until(downMs, () => restart(name));
  },
};

interface DiskByte {
  readonly path: string;
  readonly offset: number;
}

function anyByte(disk: SimDisk, random: Random): DiskByte | undefined {
  const files = disk.names.files().filter(([, file]) => file.size > 0);
  const [path, file] = files[randomInt(random, Math.max(1, files.length))] ?? [];
  if (path === undefined || file === undefined) return undefined;
  return { path, offset: randomInt(random, file.size) };
}

/** How far from the end, in bytes: some groups. */
const endBytes = 1_024;

/** Behind the end of the log are zeros that were written ahead. */
function byteAtLogEnd(disk: SimDisk, random: Random): DiskByte | undefined {
  const segments = disk.names.files().filter(([path]) => path.endsWith('.wal'));
  let end: DiskByte | undefined;
  for (const [path, file] of segments) {
    const offset = file.read(0, file.size).findLastIndex((byte) => byte !== 0);
    if (offset >= 0 && (end === undefined || path > end.path)) end = { path, offset };
  }
  return end && { path: end.path, offset: Math.max(0, end.offset - randomInt(random, endBytes)) };
}
