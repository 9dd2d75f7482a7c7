// Goal: a snapshot has a connection of its own, so that nothing urgent ever waits behind it.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crc32 } from '../../../src/base/crc32.js';
import { limits } from '../../../src/base/limits.js';
import type { WireMessage } from '../../../src/codec/wire-message.js';
import { wireSamples } from '../../../src/testing/suites/wire-samples.js';
import { frameOf } from '../../../src/transport/frame.js';
import { helloOf } from '../../../src/transport/handshake.js';
import { decodeHello, encodeHello } from '../../../src/transport/hello.js';
import { heartbeat, identityOf, Recorder, until } from '../recorder.js';
import { acceptAs, RawListener, RawPeer } from './raw-peer.js';
import { TcpWorld } from './tcp-world.js';

const request = { ...wireSamples['snapshot-request'], from: 1, to: 2 } as WireMessage;
const chunk = (at: number): WireMessage => ({
  ...{ kind: 'snapshot-chunk', from: 1, to: 2, term: 1, id: 1, at, isLast: false },
  data: new Uint8Array(limits.snapshotChunkBytes),
});

let world: TcpWorld;
beforeEach(() => {
  world = new TcpWorld();
});
afterEach(() => world.end());

describe('lanes, sending', () => {
  let listener: RawListener;
  afterEach(() => listener.close());

  /** Member 1, connected both ways to a peer that only reads its log connection. */
  async function sending() {
    listener = new RawListener((peer) => void acceptAs(2, peer));
    world.peers.set(2, await listener.listen());
    const one = await world.make(1);
    const ofOne = new Recorder();
    one.start(identityOf(1), ofOne);
    await ofOne.untilUp(2);
    one.send(request);
    one.flush();
    await until(() => listener.peers[1]?.payloads.length === 1);
    const [log, snapshots] = listener.peers as [RawPeer, RawPeer];
    await until(() => log.payloads.length === 2);
    snapshots.socket.pause();
    return { one, ofOne, log, snapshots };
  }

  test('a snapshot begins -> a second connection, which says what it is for', async () => {
    const { log, snapshots } = await sending();
    expect(decodeHello(log.payloads[0] as Uint8Array).lane).toBe('log');
    expect(decodeHello(snapshots.payloads[0] as Uint8Array).lane).toBe('snapshots');
  });

  test('chunks that nobody reads -> heartbeats arrive all the same', async () => {
    const { one, log, snapshots } = await sending();
    for (let at = 0; at < 100; at += 1) one.send(chunk(at));
    one.send(heartbeat(1, 2, 9));
    one.flush();
    await until(() => log.payloads.length === 3);
    expect(log.payloads[2]?.length).toBeLessThan(100);
    expect(snapshots.payloads.length).toBe(1);
  });

  test('a peer that does not read its snapshot -> chunks beyond the bound are dropped, later ones arrive', async () => {
    const { one, snapshots } = await sending();
    const received = () => snapshots.payloads.length - 1;
    for (let at = 0; at < 400; at += 1) {
      one.send(chunk(at));
      one.flush();
      if (at % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    snapshots.socket.resume();
    await until(() => received() >= limits.snapshotQueueBytesMax / limits.snapshotChunkBytes - 1);
    const before = received();
    await until(() => {
      one.send(chunk(999));
      one.flush();
      return received() > before;
    });
    expect(before).toBeLessThan(200);
  });

  test('the second connection falls -> the owner is not told, and it rises again', async () => {
    const { ofOne, snapshots } = await sending();
    snapshots.socket.destroy();
    await until(() => listener.peers.length === 3);
    expect(ofOne.links).toEqual(['2 up']);
  });
});

describe('lanes, receiving', () => {
  test('both connections of a member -> both deliver; a newer one replaces its own kind only', async () => {
    const two = await world.make(2);
    const ofTwo = new Recorder();
    two.start(identityOf(2), ofTwo);
    const greeted = async (lane: 'log' | 'snapshots'): Promise<RawPeer> => {
      const peer = RawPeer.to(two.address);
      peer.write(frameOf(encodeHello(helloOf(identityOf(1), 2, false, lane)), crc32));
      await peer.answer();
      return peer;
    };
    const [log, older] = [await greeted('log'), await greeted('snapshots')];
    const newer = await greeted('snapshots');
    await older.untilClosed();
    newer.send(chunk(0));
    log.send(heartbeat(1, 2, 1));
    await ofTwo.untilReceived(2);
    expect([log.closed, newer.closed]).toEqual([false, false]);
    log.socket.destroy();
    newer.socket.destroy();
  });
});
