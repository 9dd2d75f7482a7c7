// Goal: the transport that docs/api/transport.md shows keeps the whole contract, across threads too.
import { expect, test } from 'vitest';
import { run } from '../../examples/custom-transport/main.js';
import { PortTransport } from '../../examples/custom-transport/port-transport.js';
import { Switchboard } from '../../examples/custom-transport/switchboard.js';
import { transportSuite } from '../../src/testing/index.js';
import type { Transport } from '../../src/transport/transport.js';
import { runner } from '../storage/rigs.js';
import { realRig, type World } from '../transport/worlds.js';

class PortWorld implements World {
  readonly #switchboard = new Switchboard();
  readonly #made: Transport[] = [];
  readonly #members: number[] = [];

  async make(member: number): Promise<Transport> {
    const transport = new PortTransport(this.#switchboard.line(), member, this.#members);
    await transport.listen();
    if (!this.#members.includes(member)) this.#members.push(member);
    this.#made.push(transport);
    return transport;
  }

  async end(): Promise<void> {
    await Promise.all(this.#made.map((transport) => transport.close()));
  }
}

transportSuite({
  runner,
  name: 'message ports',
  factory: () => realRig(new PortWorld()),
  skip: [
    {
      test: 'admission: another member behind the address, or oneself -> MEMBER_UNKNOWN',
      reason: 'its addresses are member ids',
    },
  ],
});

test('members in two threads -> each hears the other', async () => {
  expect(await run()).toEqual(['1 heard a read-request of 2', '2 heard a read-request of 1']);
});
