// Three members that truncate their logs as soon as they may.
import type { StoreConfig } from '../../src/assembly/store-config.js';
import { type Name, SimCluster } from './cluster.js';

/** Keeps next to nothing, so that a short absence is a long one. */
export class ShortLogs extends SimCluster {
  override config(name: Name): StoreConfig {
    const retention = { entriesMin: 20, bytesMin: 8_192, bytesMax: 32_768 };
    return {
      ...super.config(name),
      tuning: { segmentBytes: 8_192, retention, flushIntervalMs: 50 },
    };
  }
}
