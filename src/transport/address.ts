/**
 * Addresses of members as people write them: `host:port`, an IPv6 host in brackets.
 */
import { kontikiError } from '../base/errors.js';
import { splitAddress } from '../base/split-address.js';

/** Where a member listens. @since 0.1.0 */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Parses `host:port`, for example `10.0.0.1:7000`, `db-1.example:7000` or `[::1]:7000`.
 *
 * @param text - the address
 * @returns host without brackets, and port 0 to 65535
 * @throws {KontikiError} OPTIONS_INVALID
 * @since 0.1.0
 */
export function parseAddress(text: string): Address {
  const address = splitAddress(text);
  if (address !== undefined) return address;
  throw kontikiError('OPTIONS_INVALID', `expected 'host:port', got '${text}'`);
}

/**
 * Writes an address, an IPv6 host in brackets.
 *
 * @since 0.1.0
 */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
