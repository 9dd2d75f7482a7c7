/**
 * The driver's only outside. On Node it is the platform (`preset/`), in a simulation it is a
 * virtual machine; the code between is the same.
 */
import type { Clock, Timers } from '../base/clock.js';
import type { Random } from '../base/prng.js';
import type { RunningHash } from '../base/sha256.js';
import type { FileSystem } from '../storage/file-system.js';
import type { OpenEngine } from '../storage/kv-engine.js';
import type { Transport } from '../transport/transport.js';
import type { Logger } from './logger.js';
import type { NodeObserver } from './observer.js';
import type { Tracing } from './tracing.js';

/** @since 0.1.0 */
export interface Env {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly fs: FileSystem;
  readonly openEngine: OpenEngine;
  readonly transport: Transport;
  /** Makes a SHA-256 for snapshots; default portable code. */
  readonly sha256?: (() => RunningHash) | undefined;
  /** Watches the node from inside: on in simulations; default nobody. */
  readonly observer?: NodeObserver | undefined;
  /** Where work can be watched as it happens; default nowhere. */
  readonly tracing?: Tracing | undefined;
  /** Takes the facts of a member's life; default nobody. */
  readonly logger?: Logger | undefined;
}
