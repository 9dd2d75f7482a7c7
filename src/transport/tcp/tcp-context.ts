/**
 * What the parts of one TCP transport share.
 */
import type { Timers } from '../../base/clock.js';
import type { Crc32 } from '../../base/crc32.js';
import type { Random } from '../../base/prng.js';
import type { BackoffRange } from './backoff.js';
import type { Lookups } from './lookups.js';
import type { OpenSockets } from './open-sockets.js';
import type { TlsCredentials } from './tls-credentials.js';

/** Times of the protocol, in milliseconds. @since 0.1.0 */
export interface TcpTimes {
  /** From the first packet to the answer; default 2,000. */
  readonly handshakeMs: number;
  /** As that, for a probe; default 500. */
  readonly probeMs: number;
  /** From a message that was sent until the link is given up when nothing is heard; default 5,000. */
  readonly silenceMs: number;
  /** From bytes that came until it is confirmed that the link works; default 1,000. */
  readonly noteMs: number;
  /** From the last write on an idle link until a ping; below the peers' `idleMs`; default 2,000. */
  readonly pingMs: number;
  /** Without a byte for as long an incoming connection is closed; default 10,000. */
  readonly idleMs: number;
  /** Pause before another attempt; default 20 to 1,000. */
  readonly reconnect: BackoffRange;
}

/** @since 0.1.0 */
export interface TcpContext {
  readonly timers: Timers;
  readonly random: Random;
  readonly crc32: Crc32;
  readonly times: TcpTimes;
  readonly sockets: OpenSockets;
  readonly lookups: Lookups;
  /** `undefined`: connections are not encrypted. */
  readonly tls: TlsCredentials | undefined;
  /** Bytes waiting for one peer, those handed to its socket included. */
  readonly queueBytesMax: number;
}

/** @since 0.1.0 */
export const defaultTimes: TcpTimes = {
  handshakeMs: 2_000,
  probeMs: 500,
  silenceMs: 5_000,
  noteMs: 1_000,
  pingMs: 2_000,
  idleMs: 10_000,
  reconnect: { minMs: 20, maxMs: 1_000 },
};
