/**
 * How members reach each other: the interface, and the in-process implementation. TCP is
 * `kontiki/transport/tcp`.
 *
 * @module
 */
export { decodeWireMessage, encodeWireMessage } from '../codec/wire-codec.js';
export type { ForwardRefusal, ForwardRequest, WireMessage } from '../codec/wire-message.js';
export { type Address, formatAddress, parseAddress } from './address.js';
export type { PeerAddresses } from './listed-peers.js';
export {
  MemoryHub,
  type MemoryHubOptions,
  type MemoryTransportOptions,
} from './memory-hub.js';
export type { MemoryTransport } from './memory-transport.js';
export type { TlsOptions } from './tls-options.js';
export type {
  DirectoryLife,
  MemberIdentity,
  Transport,
  TransportHandlers,
  TransportIncident,
} from './transport.js';
