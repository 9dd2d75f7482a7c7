import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../src/transport/address.js';
import { codeOf } from '../codec/hostile-bytes.js';

describe('address', () => {
  test.each([
    ['10.0.0.1:7000', { host: '10.0.0.1', port: 7000 }],
    ['db-1.example:0', { host: 'db-1.example', port: 0 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
    ['[fe80::1%eth0]:1', { host: 'fe80::1%eth0', port: 1 }],
  ])('%s: parsed and written -> the same', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(formatAddress(address)).toBe(text);
  });

  test.each([
    ...['', 'host', ':1', 'host:', 'host:65536', 'host:-1', 'host:1x', '::1:7000', '[]:1'],
    ...['http://host:1', 'a b:1', '[host]:1:1', 'user@host:1', 'host:123456'],
  ])("'%s' -> OPTIONS_INVALID", (text) => {
    expect(codeOf(() => parseAddress(text))).toBe('OPTIONS_INVALID');
  });
});
