// Goal: whatever arrives on a connection, it ends that connection at most: members that behave keep
// talking on theirs, and the process lives.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crc32 } from '../../../src/base/crc32.js';
import { Deferred } from '../../../src/base/deferred.js';
import { frameOf } from '../../../src/transport/frame.js';
import { helloOf } from '../../../src/transport/handshake.js';
import { encodeHello } from '../../../src/transport/hello.js';
import type { TcpTransport } from '../../../src/transport/tcp/index.js';
import { ManualTimers } from '../manual-timers.js';
import { heartbeat, identityOf, Recorder, until } from '../recorder.js';
import { messageFrame, RawPeer } from './raw-peer.js';
import { TcpWorld } from './tcp-world.js';

const hello = frameOf(encodeHello(helloOf(identityOf(1), 2, false)), crc32);

describe('tcp, from outside', () => {
  let world: TcpWorld;
  let timers: ManualTimers;
  let two: TcpTransport;
  let ofTwo: Recorder;
  const raw: RawPeer[] = [];

  beforeEach(async () => {
    world = new TcpWorld();
    timers = new ManualTimers();
    two = await world.make(2, { timers, times: { handshakeMs: 333 } });
    ofTwo = new Recorder();
  });
  afterEach(async () => {
    for (const { socket } of raw.splice(0)) socket.destroy();
    await world.end();
  });

  const start = (): void => two.start(identityOf(2), ofTwo);

  function connectRaw(): RawPeer {
    const peer = RawPeer.to(two.address);
    raw.push(peer);
    return peer;
  }

  async function greeted(from = 1): Promise<RawPeer> {
    const peer = RawPeer.greet(two.address, from, 2);
    raw.push(peer);
    // Its life is nothing to be told to whoever connects.
    const { life: _, ...told } = identityOf(2);
    expect(await peer.answer()).toEqual({ kind: 'accepted', version: 1, from: told });
    return peer;
  }

  const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
    const copy = bytes.slice();
    copy[at] = (copy[at] as number) ^ 1;
    return copy;
  };

  test.each([
    ['garbage', new Uint8Array(1000).fill(0x47)],
    ['a size of 1 MiB before the handshake', Uint8Array.from([0, 0, 0x10, 0, ...Array(8).fill(0)])],
    ['a hello with a wrong checksum', flipped(hello, 20)],
    ['an empty frame', frameOf(new Uint8Array(0), crc32)],
    ['a message instead of a hello', messageFrame(heartbeat(1, 2, 1))],
    ['two hellos', Buffer.concat([hello, hello])],
    ['a hello and a message at once', Buffer.concat([hello, messageFrame(heartbeat(1, 2, 1))])],
  ])('%s -> closed, nothing delivered', async (_name, bytes) => {
    ofTwo.decide = () => new Promise(() => {});
    start();
    const peer = connectRaw();
    peer.write(bytes);
    await peer.untilClosed();
    expect(ofTwo.messages).toEqual([]);
    expect(peer.payloads).toEqual([]);
    expect(ofTwo.incidentCodes).toEqual(['FRAME_INVALID']);
  });

  test.each([
    ['garbage', new Uint8Array(1000).fill(0x47)],
    ['a size beyond the limit', Uint8Array.from([0xf5, 0xff, 0xff, 0, ...Array(8).fill(0)])],
    ['a wrong checksum', flipped(messageFrame(heartbeat(1, 2, 1)), 14)],
    ['a payload that is no message', frameOf(Uint8Array.of(1, 2, 3), crc32)],
    ['a message of another version', frameOf(Uint8Array.of(9, 2, 3), crc32)],
    ['a message of another member', messageFrame(heartbeat(3, 2, 1))],
    ['a message to another member', messageFrame(heartbeat(1, 3, 1))],
    ['a second hello', hello],
  ])('%s after the handshake -> closed, what came before is delivered', async (_name, bytes) => {
    start();
    const bystander = await greeted(3);
    const peer = await greeted(1);
    peer.write(Buffer.concat([messageFrame(heartbeat(1, 2, 5)), bytes]));
    peer.send(heartbeat(1, 2, 6));
    await peer.untilClosed();
    expect(ofTwo.messages).toEqual([heartbeat(1, 2, 5)]);
    expect(ofTwo.incidents).toMatchObject([{ memberId: 1 }]);
    expect(ofTwo.incidentCodes[0]).toMatch(/^(FRAME_INVALID|FORMAT_UNSUPPORTED)$/);

    bystander.send(heartbeat(3, 2, 7));
    await ofTwo.untilReceived(2);
    expect(bystander.closed).toBe(false);
  });

  test('bytes one by one -> the messages', async () => {
    start();
    const peer = await greeted();
    expect(timers.delays).not.toContain(333);
    for (const byte of messageFrame(heartbeat(1, 2, 5))) {
      peer.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await ofTwo.untilReceived(1);
    expect(ofTwo.messages).toEqual([heartbeat(1, 2, 5)]);
  });

  test('a hello whose second piece begins as TLS does -> accepted', async () => {
    start();
    const odd = { ...identityOf(1), dirId: `1603${'0'.repeat(28)}` };
    const bytes = frameOf(encodeHello(helloOf(odd, 2, false)), crc32);
    const at = Buffer.from(bytes).indexOf(Uint8Array.of(0x16, 0x03));
    const peer = connectRaw();
    peer.write(bytes.subarray(0, at));
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    peer.write(bytes.subarray(at));
    expect(await peer.answer()).toMatchObject({ kind: 'accepted' });
  });

  test('a hello whose size begins as TLS does -> accepted', async () => {
    start();
    const payload = new Uint8Array(0x316);
    // What stands behind it is of a later release.
    payload.set(encodeHello(helloOf(identityOf(1), 2, false)));
    const peer = connectRaw();
    peer.write(frameOf(payload, crc32));
    expect(await peer.answer()).toMatchObject({ kind: 'accepted' });
  });

  test('half a hello, and time runs out -> closed', async () => {
    start();
    const peer = connectRaw();
    peer.write(hello.subarray(0, 20));
    await until(() => timers.delays.includes(333));
    timers.fire(333);
    await peer.untilClosed();
    expect(ofTwo.incidentCodes).toEqual(['TIMEOUT']);
  });

  test('a hello before start, and time runs out -> closed; in time -> answered', async () => {
    const late = RawPeer.greet(two.address, 1, 2);
    await until(() => timers.delays.length === 1);
    timers.fire(333);
    await late.untilClosed();

    const patient = RawPeer.greet(two.address, 3, 2);
    raw.push(patient);
    await until(() => timers.delays.length === 1);
    expect(patient.payloads).toEqual([]);
    start();
    expect(await patient.answer()).toMatchObject({ kind: 'accepted' });
  });

  test('refused -> told why, then closed', async () => {
    start();
    const peer = RawPeer.greet(two.address, 1, 9);
    expect(await peer.answer()).toMatchObject({
      kind: 'refused',
      code: 'MEMBER_UNKNOWN',
      message: 'this is member 2, not member 9',
    });
    await peer.untilClosed();
    expect(ofTwo.admitted).toEqual([]);
    expect(ofTwo.incidentCodes).toEqual(['MEMBER_UNKNOWN']);
  });

  test('a newer connection of the same member -> replaces the older', async () => {
    start();
    const older = await greeted();
    const newer = await greeted();
    await older.untilClosed();
    newer.send(heartbeat(1, 2, 1));
    await ofTwo.untilReceived(1);
    expect(newer.closed).toBe(false);
  });

  test('an older connection that is admitted last -> closed, the newer one stays', async () => {
    start();
    const decisions: Deferred<void>[] = [];
    ofTwo.decide = () => {
      decisions.push(new Deferred());
      return decisions.at(-1)!.promise;
    };
    const older = RawPeer.greet(two.address, 1, 2);
    await until(() => decisions.length === 1);
    const newer = RawPeer.greet(two.address, 1, 2);
    raw.push(newer);
    await until(() => decisions.length === 2);
    decisions[1]!.resolve();
    expect(await newer.answer()).toMatchObject({ kind: 'accepted' });
    decisions[0]!.resolve();
    await older.untilClosed();
    newer.send(heartbeat(1, 2, 1));
    await ofTwo.untilReceived(1);
  });

  test('closed while its owner decides -> nothing happens', async () => {
    start();
    const decision = new Deferred<void>();
    ofTwo.decide = () => decision.promise;
    const peer = RawPeer.greet(two.address, 1, 2);
    await until(() => ofTwo.admitted.length === 1);
    peer.socket.destroy();
    await until(() => timers.delays.every((delay) => delay !== 333));
    decision.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(ofTwo.messages).toEqual([]);
  });
});
