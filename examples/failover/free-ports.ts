/**
 * Ports nobody listens on.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/**
 * Lets the system choose ports and lets go of them again; all at once, so that they differ.
 *
 * @returns `count` addresses on the loopback interface, as `host:port`
 */
export async function freeAddresses(count: number): Promise<string[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const addresses = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`);
  await Promise.all(
    servers.map((server) => {
      server.close();
      return once(server, 'close');
    }),
  );
  return addresses;
}
