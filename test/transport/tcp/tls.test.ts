// Goal: with TLS, only members whose certificate is good for their own address are talked to, whoever
// connects; all others are refused by name, on both sides where the protocol lets them hear it.
import { mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TcpTransportOptions } from '../../../src/transport/tcp/index.js';
import type { TlsOptions } from '../../../src/transport/tls-options.js';
import { codeOf } from '../../codec/hostile-bytes.js';
import { ManualTimers } from '../manual-timers.js';
import { heartbeat, identityOf, Recorder, until } from '../recorder.js';
import { Authority, type Pair } from './certificates.js';
import { RawPeer } from './raw-peer.js';
import { TcpWorld } from './tcp-world.js';

let ours: Authority;
let theirs: Authority;
let good: TlsOptions;

beforeAll(async () => {
  [ours, theirs] = [await Authority.make(), await Authority.make('other')];
  good = tls(await ours.sign());
});

function tls(pair: Pair, { ca } = ours): TlsOptions {
  return { ca, ...pair };
}

let world: TcpWorld;
beforeEach(() => {
  world = new TcpWorld();
});
afterEach(() => world.end());

async function started(member: number, options: Partial<TcpTransportOptions>) {
  const transport = await world.make(member, options);
  const owner = new Recorder();
  return { transport, owner, start: () => transport.start(identityOf(member), owner) };
}

describe('tls: matrix', () => {
  test('the right certificates -> both links stand, messages arrive, nothing is reported', async () => {
    const [one, two] = [await started(1, { tls: good }), await started(2, { tls: good })];
    one.start();
    two.start();
    await Promise.all([one.owner.untilUp(2), two.owner.untilUp(1)]);
    one.transport.send(heartbeat(1, 2, 7));
    one.transport.flush();
    await two.owner.untilReceived(1);
    expect([...one.owner.incidents, ...two.owner.incidents]).toEqual([]);
  });

  test('a certificate without a subject, good by its alternative names -> right', async () => {
    const bare = tls(await ours.sign({ subject: '' }));
    const [one, two] = [await started(1, { tls: bare }), await started(2, { tls: good })];
    one.start();
    two.start();
    await Promise.all([one.owner.untilUp(2), two.owner.untilUp(1)]);
  });

  // Member 1 is wrong in some way, member 2 is right: as a client of 2, and as a server for 2.
  test.each<[string, () => Promise<TlsOptions>, string, string]>([
    ['expired', async () => tls(await ours.sign({ days: -1 })), 'expired', 'expired'],
    [
      'of another authority',
      async () => tls(await theirs.sign()),
      'unknown-issuer',
      'unknown-issuer',
    ],
    [
      'of another host',
      async () => tls(await ours.sign({ names: ['10.1.2.3', 'db.example'] })),
      'wrong-name',
      'wrong-name',
    ],
  ])(
    'a certificate %s -> TLS_REFUSED by the listener, and by the client',
    async (_n, make, asClient, asServer) => {
      const one = await started(1, { tls: await make() });
      const two = await started(2, { tls: good });
      one.start();
      two.start();
      await until(() => one.owner.refusals.length > 0 && two.owner.incidents.length > 0);
      await until(() => two.owner.refusals.length > 0);
      expect(two.owner.incidentCodes[0]).toBe(`TLS_REFUSED ${asClient}`);
      expect(two.owner.incidents[0]).toMatchObject({ memberId: 1 });
      expect(two.owner.incidents[0]?.address).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(one.owner.refusals[0]).toBe('2 TLS_REFUSED');
      expect(two.owner.refusals[0]).toBe('1 TLS_REFUSED');
      expect(two.owner.refusalReasons[0]).toBe(asServer);
      expect(one.owner.refusalReasons[0]).toBe('by-peer');
      expect([one.owner.isUp(2), two.owner.isUp(1)]).toEqual([false, false]);
      expect([...one.owner.admitted, ...two.owner.admitted]).toEqual([]);
    },
  );

  test('no certificate -> told TLS_REFUSED, reported as no-certificate, never admitted', async () => {
    const two = await started(2, { tls: good });
    two.start();
    const peer = RawPeer.greetSecurely(two.transport.address, identityOf(1), {
      ca: Buffer.from(ours.ca),
    });
    expect(await peer.answer()).toMatchObject({ kind: 'refused', code: 'TLS_REFUSED' });
    await peer.untilClosed();
    expect(two.owner.incidentCodes).toEqual(['TLS_REFUSED no-certificate']);
    expect(two.owner.admitted).toEqual([]);
  });

  test('a good certificate of another member -> wrong-name: it is held to the address of who it says it is', async () => {
    const two = await started(2, { tls: good });
    world.peers.set(1, '127.0.0.9:7000');
    two.start();
    const peer = RawPeer.greetSecurely(two.transport.address, identityOf(1), {
      ca: Buffer.from(ours.ca),
      cert: Buffer.from(good.cert),
      key: Buffer.from(good.key),
    });
    expect(await peer.answer()).toMatchObject({ kind: 'refused', code: 'TLS_REFUSED' });
    expect(two.owner.incidentCodes).toEqual(['TLS_REFUSED wrong-name']);
    peer.socket.destroy();
  });

  // A member that joins does not know everybody yet who will call it.
  test.each([
    ['where its certificate is good for', '127.0.0.1:7000', 'accepted'],
    ['where it is not', '10.1.2.3:7000', 'refused'],
    ['nowhere', undefined, 'refused'],
    ['at no address', 'nonsense', 'refused'],
  ])('a peer that is not listed and says it is %s -> %3$s', async (_name, address, kind) => {
    const two = await started(2, { tls: good });
    two.start();
    const peer = RawPeer.greetSecurely(
      two.transport.address,
      { ...identityOf(8), address },
      { ca: Buffer.from(ours.ca), cert: Buffer.from(good.cert), key: Buffer.from(good.key) },
    );
    expect(await peer.answer()).toMatchObject({ kind });
    expect(two.owner.admitted.length).toBe(kind === 'accepted' ? 1 : 0);
    peer.socket.destroy();
  });

  test('a server with a certificate of another authority -> the client refuses, and sends nothing', async () => {
    const one = await started(1, { tls: { ...good, ca: theirs.ca } });
    const two = await started(2, { tls: good });
    one.start();
    await until(() => one.owner.refusals.length > 0);
    expect(one.owner.refusals[0]).toBe('2 TLS_REFUSED');
    expect(one.owner.refusalReasons[0]).toBe('unknown-issuer');
    expect(two.owner.admitted).toEqual([]);
  });

  test('a client that does not speak TLS -> closed, reported as plaintext', async () => {
    const [one, two] = [await started(1, {}), await started(2, { tls: good })];
    one.start();
    two.start();
    await until(() => two.owner.incidents.length > 0 && one.owner.links.length > 0);
    expect(new Set(two.owner.incidentCodes)).toEqual(new Set(['TLS_REFUSED plaintext']));
    expect(one.owner.links).toEqual(['2 down']);
  });

  test('a listener that does not speak TLS -> both are told', async () => {
    const [one, two] = [await started(1, { tls: good }), await started(2, {})];
    one.start();
    two.start();
    await until(() => one.owner.refusals.length > 0 && two.owner.incidents.length > 0);
    expect(one.owner.refusals[0]).toBe('2 TLS_REFUSED');
    expect(one.owner.refusalReasons[0]).toBe('plaintext');
    expect(two.owner.incidentCodes[0]).toBe('TLS_REFUSED tls');
  });
});

// One that would join asks before it is a member: the same listener, and no address to hold it to yet.
describe('tls: matrix of inquiries', () => {
  const question = Uint8Array.of(1);

  async function asked() {
    const two = await started(2, { tls: good });
    const told: Uint8Array[] = [];
    const onInquiry = async (bytes: Uint8Array) => {
      told.push(bytes);
      return Uint8Array.of(2);
    };
    two.transport.start(identityOf(2), Object.assign(two.owner, { onInquiry }));
    return { ...two, told };
  }

  test('a certificate of our authority, of whatever host -> answered', async () => {
    const two = await asked();
    const elsewhere = tls(await ours.sign({ names: ['10.1.2.3'] }));
    for (const options of [good, elsewhere]) {
      const one = await world.make(1, { tls: options });
      const answer = await one.inquire(two.transport.address, question);
      expect([...(answer ?? [])]).toEqual([2]);
      await one.close();
    }
    expect(two.owner.incidents).toEqual([]);
  });

  test.each<[string, () => Promise<TlsOptions>, string]>([
    ['expired', async () => tls(await ours.sign({ days: -1 })), 'expired'],
    ['of another authority', async () => tls(await theirs.sign()), 'unknown-issuer'],
  ])('a certificate %s -> TLS_REFUSED, nothing is told', async (_name, make, reason) => {
    const two = await asked();
    const one = await world.make(1, { tls: await make() });
    await expect(one.inquire(two.transport.address, question)).rejects.toMatchObject({
      ...{ code: 'TLS_REFUSED', reason: 'by-peer' },
    });
    expect(two.owner.incidentCodes).toEqual([`TLS_REFUSED ${reason}`]);
    expect(two.owner.incidents[0]?.memberId).toBeUndefined();
    expect(two.told).toEqual([]);
  });

  test('no certificate -> TLS_REFUSED, nothing is told', async () => {
    const two = await asked();
    const peer = RawPeer.askSecurely(two.transport.address, question, { ca: Buffer.from(ours.ca) });
    expect(await peer.answer()).toMatchObject({ kind: 'refused', code: 'TLS_REFUSED' });
    expect(two.owner.incidentCodes).toEqual(['TLS_REFUSED no-certificate']);
    expect(two.told).toEqual([]);
    await peer.untilClosed();
  });

  test.each<[string, () => Promise<TlsOptions>, string]>([
    ['expired', async () => tls(await ours.sign({ days: -1 })), 'expired'],
    ['of another authority', async () => tls(await theirs.sign()), 'unknown-issuer'],
    ['of another host', async () => tls(await ours.sign({ names: ['10.1.2.3'] })), 'wrong-name'],
  ])(
    'the member asked has a certificate %s -> TLS_REFUSED by who asks',
    async (_n, make, reason) => {
      const two = await started(2, { tls: await make() });
      two.start();
      const one = await world.make(1, { tls: good });
      await expect(one.inquire(two.transport.address, question)).rejects.toMatchObject({
        ...{ code: 'TLS_REFUSED', reason },
      });
    },
  );
});

describe('tls: hostile clients', () => {
  test.each([
    ['garbage', new Uint8Array(600).fill(0x47)],
    ['half a record', Uint8Array.of(0x16, 0x03, 0x01, 0x40, 0x00, 1, 2, 3)],
    ['nothing', new Uint8Array(0)],
  ])('%s -> closed at the deadline at the latest, and the process lives', async (_name, bytes) => {
    const timers = new ManualTimers();
    const two = await started(2, { tls: good, timers, times: { handshakeMs: 333 } });
    two.start();
    const peer = RawPeer.to(two.transport.address);
    peer.write(bytes);
    await until(() => peer.closed || timers.delays.includes(333));
    timers.fire(333);
    await peer.untilClosed();
    await until(() => two.owner.incidents.length === 1);
    expect(two.owner.admitted).toEqual([]);
  });

  test('a session of before is offered -> not resumed: it would not be verified again', async () => {
    const two = await started(2, { tls: good });
    two.start();
    let session: Buffer | undefined;
    const reused: boolean[] = [];
    for (let n = 0; n < 2; n += 1) {
      const peer = RawPeer.greetSecurely(two.transport.address, identityOf(1), {
        ca: Buffer.from(ours.ca),
        session,
      });
      const socket = peer.socket as TLSSocket;
      socket.on('session', (offered: Buffer) => {
        session = offered;
      });
      socket.on('secureConnect', () => reused.push(socket.isSessionReused()));
      await peer.answer();
      socket.destroy();
    }
    expect(reused).toEqual([false, false]);
  });

  test('close in the middle of handshakes -> settles, no timer is left', async () => {
    const timers = new ManualTimers();
    const two = await started(2, { tls: good, timers });
    two.start();
    const peer = RawPeer.to(two.transport.address);
    await until(() => timers.delays.length > 0);
    await two.transport.close();
    expect(timers.delays).toEqual([]);
    await peer.untilClosed();
  });
});

describe('tls: authorities', () => {
  const cut = (bytes: Uint8Array, from: number, to: number) => bytes.subarray(from, to);
  const lines = (...parts: Uint8Array[]) => Buffer.from(parts.map(String).join('\n'));
  const secret = Buffer.from(
    '-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n',
  );

  test.each<[string, () => Uint8Array, () => Uint8Array]>([
    ['two, joined without a line break', () => theirs.ca, () => ours.ca],
    ['two, and text between them', () => lines(Buffer.from('of old'), theirs.ca), () => ours.ca],
    [
      'two, and a key with a passphrase between them',
      () => lines(secret, theirs.ca),
      () => ours.ca,
    ],
  ])('%s -> all of them count', async (_name, first, second) => {
    for (const ca of [Buffer.concat([first(), second()]), Buffer.concat([second(), first()])]) {
      const one = await started(1, { tls: { ...good, ca } });
      const two = await started(2, { tls: good });
      one.start();
      two.start();
      await Promise.all([one.owner.untilUp(2), two.owner.untilUp(1)]);
      await Promise.all([one.transport.close(), two.transport.close()]);
    }
  });

  test.each<[string, () => Uint8Array]>([
    ['nothing', () => new Uint8Array(0)],
    ['garbage', () => Buffer.from('garbage')],
    ['a key', () => good.key as Uint8Array],
    ['a block that was cut short', () => cut(ours.ca, 0, 200)],
    ['a block that lost its begin', () => cut(ours.ca, 40, ours.ca.length)],
    ['a good block, and one cut short', () => lines(ours.ca, cut(theirs.ca, 0, 200))],
    ['a good block, and one cut short in its begin', () => lines(ours.ca, cut(theirs.ca, 0, 7))],
    ['one cut short, and a good block', () => lines(cut(theirs.ca, 0, 200), ours.ca)],
    ['a good block, and one without its begin', () => lines(ours.ca, cut(theirs.ca, 40, 900))],
    ['a block that is no certificate', () => Buffer.from(String(ours.ca).replace('MII', 'MIJ'))],
  ])('%s -> OPTIONS_INVALID, at a reload as well, and the old ones stay', async (_name, make) => {
    const tls = { ...good, ca: make() };
    await expect(world.make(3, { tls })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    const [one, two] = [await started(1, { tls: good }), await started(2, { tls: good })];
    expect(codeOf(() => one.transport.reloadTls(tls))).toBe('OPTIONS_INVALID');
    one.start();
    two.start();
    await Promise.all([one.owner.untilUp(2), two.owner.untilUp(1)]);
  });

  test('one between a member and its authority that lost its begin -> OPTIONS_INVALID', async () => {
    const chain = lines(good.cert as Uint8Array, cut(ours.ca, 40, ours.ca.length));
    const tls = { ...good, cert: chain };
    await expect(world.make(1, { tls })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
  });
});

describe('tls: renewal', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kontiki-tls-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const paths = (): TlsOptions => ({
    ca: join(dir, 'ca.pem'),
    cert: join(dir, 'cert.pem'),
    key: join(dir, 'key.pem'),
  });

  let writes = 0;
  async function write(name: 'ca' | 'cert' | 'key', bytes: Uint8Array): Promise<void> {
    const path = join(dir, `${name}.pem`);
    await writeFile(path, bytes);
    writes += 1;
    await utimes(path, writes, writes);
  }

  async function writePair({ cert, key }: Pair, ca = ours.ca): Promise<void> {
    await write('ca', ca);
    await write('cert', cert);
    await write('key', key);
  }

  test('files are replaced -> the next connections use them; those that stand, stand', async () => {
    await writePair(await ours.sign());
    const one = await started(1, { tls: paths() });
    const two = await started(2, { tls: good });
    const three = await started(3, { tls: good });
    one.start();
    two.start();
    await Promise.all([one.owner.untilUp(2), two.owner.untilUp(1)]);
    await writePair(await ours.sign({ names: ['10.1.2.3'] }));
    one.transport.send(heartbeat(1, 2, 1));
    one.transport.flush();
    await two.owner.untilReceived(1);

    // Another member connects both ways: it sees the new certificate, and refuses it.
    three.start();
    await until(() => three.owner.refusals.length > 0);
    expect(three.owner.refusalReasons[0]).toBe('wrong-name');
    expect([one.owner.isUp(2), two.owner.isUp(1)]).toEqual([true, true]);

    await writePair(await ours.sign());
    await three.owner.untilUp(1);
  });

  test('the certificate is replaced and its key not yet -> the old pair serves, reported once', async () => {
    const [first, second] = [await ours.sign(), await ours.sign()];
    await writePair(first);
    const one = await started(1, { tls: paths() });
    const two = await started(2, { tls: good });
    const three = await started(3, { tls: good });
    one.start();
    await write('cert', second.cert);
    two.start();
    await two.owner.untilUp(1);
    expect(one.owner.incidentCodes).toEqual(['OPTIONS_INVALID']);
    await write('key', second.key);
    three.start();
    await three.owner.untilUp(1);
    expect(one.owner.incidentCodes).toEqual(['OPTIONS_INVALID']);
  });

  test('the authorities are half written -> the old ones serve, reported once', async () => {
    await writePair(await ours.sign());
    const one = await started(1, { tls: paths() });
    const two = await started(2, { tls: good });
    one.start();
    await write('ca', new Uint8Array(0));
    two.start();
    await Promise.all([one.owner.untilUp(2), two.owner.untilUp(1)]);
    expect(one.owner.incidentCodes).toEqual(['OPTIONS_INVALID']);
  });

  test('a file that can not be read any more -> the old ones serve, reported once', async () => {
    await writePair(await ours.sign());
    const one = await started(1, { tls: paths() });
    const two = await started(2, { tls: good });
    const three = await started(3, { tls: good });
    one.start();
    await rm(join(dir, 'cert.pem'));
    await symlink('cert.pem', join(dir, 'cert.pem'));
    two.start();
    await two.owner.untilUp(1);
    three.start();
    await three.owner.untilUp(1);
    expect(one.owner.incidentCodes).toContain('OPTIONS_INVALID');
    expect(new Set(one.owner.incidentCodes).size).toBe(1);
  });

  test('bytes that are wiped after the call -> as they were, also when they are taken again', async () => {
    const copy = () => ({
      ...{ ca: Buffer.from(good.ca), cert: Buffer.from(good.cert), key: Buffer.from(good.key) },
    });
    const [first, second] = [copy(), copy()];
    const one = await started(1, { tls: first });
    for (const bytes of Object.values(first)) bytes.fill(0);
    one.transport.reloadTls();
    one.transport.reloadTls(second);
    for (const bytes of Object.values(second)) bytes.fill(0);
    one.transport.reloadTls();
    const two = await started(2, { tls: good });
    one.start();
    two.start();
    await Promise.all([one.owner.untilUp(2), two.owner.untilUp(1)]);
  });

  test('reloadTls with other bytes -> used; with bad ones -> OPTIONS_INVALID, the old ones stay', async () => {
    const one = await started(1, { tls: tls(await ours.sign({ days: -1 })) });
    const two = await started(2, { tls: good });
    const three = await started(3, { tls: good });
    one.start();
    two.start();
    await until(() => two.owner.refusals.length > 0);
    one.transport.reloadTls(good);
    await Promise.all([one.owner.untilUp(2), two.owner.untilUp(1)]);
    const bad = { ...good, key: Buffer.from('no key') };
    expect(codeOf(() => one.transport.reloadTls(bad))).toBe('OPTIONS_INVALID');
    one.transport.reloadTls();
    three.start();
    await three.owner.untilUp(1);
  });

  test('files that are missing at the start -> OPTIONS_INVALID; reload without tls -> the same', async () => {
    const made = world.make(1, { tls: paths() });
    await expect(made).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    const plain = await world.make(2);
    expect(codeOf(() => plain.reloadTls())).toBe('OPTIONS_INVALID');
  });
});
