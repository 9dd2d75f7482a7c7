// A member that nobody listed can only be answered where it says it is, so what it says must be true
// on every link, also on those that it made before it knew.
import { afterEach, describe, expect, test } from 'vitest';
import type { MemberId } from '../../src/raft/types.js';
import type { Transport } from '../../src/transport/transport.js';
import { heartbeat, identityOf, Recorder, until } from './recorder.js';
import { TcpWorld } from './tcp/tcp-world.js';
import { MemoryWorld } from './worlds.js';

/** Where nobody listens; both kinds of transports take the text. */
const [nowhere, elsewhere] = ['127.0.0.1:1', '127.0.0.1:2'] as const;

let end: () => Promise<void>;
afterEach(() => end());

interface Pair {
  /** Knows nobody. */
  readonly one: Transport;
  /** Knows member 1. */
  readonly two: Transport;
  readonly addresses: ReadonlyMap<MemberId, string>;
}

async function tcpPair(): Promise<Pair> {
  const world = new TcpWorld();
  end = () => world.end();
  const one = await world.make(1, { peers: new Map() });
  const two = await world.make(2, { peers: new Map([[1, one.address]]) });
  return { one, two, addresses: world.peers };
}

async function memoryPair(): Promise<Pair> {
  const { hub } = new MemoryWorld();
  const addresses = new Map([1, 2].map((member) => [member, `member:${member}`]));
  const one = hub.transport({ address: 'member:1', peers: new Map() });
  const two = hub.transport({ address: 'member:2', peers: new Map([[1, 'member:1']]) });
  end = async () => void (await Promise.all([one.close(), two.close()]));
  for (const each of [one, two]) await each.listen();
  return { one, two, addresses };
}

describe.each([
  ['tcp', tcpPair],
  ['memory', memoryPair],
])('%s: own address', (_name, make) => {
  test('learned while a link to a peer that never heard of it stands -> told there, and answered', async () => {
    const { one, two, addresses } = await make();
    const [ofOne, ofTwo] = [new Recorder(), new Recorder()];
    one.start(identityOf(1), ofOne);
    two.start(identityOf(2), ofTwo);
    await ofTwo.untilUp(1);
    expect(ofOne.links).toEqual([]);
    two.updatePeers(addresses);
    await ofOne.untilUp(2);
    await until(() => ofTwo.links.length === 3);
    expect(ofTwo.links).toEqual(['1 up', '1 down', '1 up']);
  });

  test('the same as before -> the links stand', async () => {
    const { one, two, addresses } = await make();
    const [ofOne, ofTwo] = [new Recorder(), new Recorder()];
    one.start(identityOf(1), ofOne);
    two.start({ ...identityOf(2), address: addresses.get(2) }, ofTwo);
    await ofOne.untilUp(2);
    two.updatePeers(addresses);
    two.updatePeers(addresses);
    one.updatePeers(new Map([[1, addresses.get(1)]]));
    expect(ofOne.admitted).toHaveLength(1);
    expect([...ofOne.links, ...ofTwo.links].filter((link) => link.endsWith('down'))).toEqual([]);
  });

  test('not the one that the peer knows -> answered there all the same', async () => {
    const { one, two, addresses } = await make();
    const [ofOne, ofTwo] = [new Recorder(), new Recorder()];
    one.start(identityOf(1), ofOne);
    // Where it was before it moved.
    one.updatePeers(new Map([...addresses, [2, nowhere]]));
    await until(() => ofOne.links.includes('2 down'));
    two.start({ ...identityOf(2), address: addresses.get(2) }, ofTwo);
    await ofOne.untilUp(2);
    one.send(heartbeat(1, 2, 7));
    one.flush();
    await ofTwo.untilReceived(1);
    // The list catches up: a link that stands there is left alone.
    one.updatePeers(addresses);
    expect(ofOne.links.at(-1)).toBe('2 up');
    // Told of another one, which is out of date as well, it is still found.
    one.updatePeers(new Map([...addresses, [2, elsewhere]]));
    await until(() => ofOne.links.filter((link) => link === '2 up').length === 2);
  });
});
