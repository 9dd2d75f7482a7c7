/**
 * Transport over TCP, for Node.
 *
 * @module
 */

export type { TlsOptions } from '../tls-options.js';
export type { BackoffRange } from './backoff.js';
export type { TcpTimes } from './tcp-context.js';
export { TcpTransport, type TcpTransportOptions } from './tcp-transport.js';
