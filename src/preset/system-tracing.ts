/**
 * Node's own diagnostics channels: `tracing:kontiki:propose:start` and so on, for every member of the
 * process.
 */
import { tracingChannel } from 'node:diagnostics_channel';
import type { Tracing } from '../node/tracing.js';

/** @since 0.1.0 */
export const systemTracing: Tracing = {
  propose: tracingChannel('kontiki:propose'),
  read: tracingChannel('kontiki:read'),
  fsync: tracingChannel('kontiki:fsync'),
  apply: tracingChannel('kontiki:apply'),
  snapshot: tracingChannel('kontiki:snapshot'),
};
