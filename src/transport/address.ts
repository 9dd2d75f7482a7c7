/**
 * Addresses of members as people write them: `host:port`, an IPv6 host in brackets.
 */
import { kontikiError } from '../base/errors.js';

/** Where a member listens. @since 0.1.0 */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const pattern = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^\s:[\]/@]+)):(\d{1,5})$/;

/**
 * Parses `host:port`, for example `10.0.0.1:7000`, `db-1.example:7000` or `[::1]:7000`.
 *
 * @param text - the address
 * @returns host without brackets, and port 0 to 65535
 * @throws {KontikiError} OPTIONS_INVALID
 * @since 0.1.0
 */
export function parseAddress(text: string): Address {
  const [, v6, name, digits] = pattern.exec(text) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  if (host === undefined || port > 65_535) {
    throw kontikiError('OPTIONS_INVALID', `expected 'host:port', got '${text}'`);
  }
  return { host, port };
}

/**
 * Writes an address, an IPv6 host in brackets.
 *
 * @since 0.1.0
 */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
