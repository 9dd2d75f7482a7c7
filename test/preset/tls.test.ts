// `openStore` with mutual TLS: the option reaches the sockets, and one member without it stays outside.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../transport/recorder.js';
import { Authority } from '../transport/tcp/certificates.js';
import { Place } from './place.js';

let place: Place;
beforeEach(async () => {
  place = await Place.make();
});
afterEach(() => place.close());

test('three members with tls -> they elect and replicate; a plain one among them is refused and reported', async () => {
  const authority = await Authority.make();
  const cluster = await place.cluster('a', 'b', 'c');
  const open = async (name: string, tls = {}) =>
    place.open({ name, dir: place.dir(name), cluster, timeoutMs: 20_000, ...tls });
  const secure = async (name: string) =>
    open(name, { tls: { ca: authority.ca, ...(await authority.sign()) } });
  const [a, b] = await Promise.all([secure('a'), secure('b')]);
  const codes: string[] = [];
  a.on('incident', ({ error }) => codes.push(error.code));
  const c = await open('c');
  await a.put('key', 'value');
  expect((await b.get('key'))?.text()).toBe('value');
  await until(() => codes.includes('TLS_REFUSED'));
  expect(c.status().leader).toBeUndefined();
});

test('certificates that can not be read -> OPTIONS_INVALID before anything is opened', async () => {
  const cluster = await place.cluster('a', 'b');
  const tls = { ca: place.dir('no-ca'), cert: place.dir('no-cert'), key: place.dir('no-key') };
  const opening = place.open({ name: 'a', dir: place.dir('a'), cluster, tls });
  await expect(opening).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
});
