// The options of `openStore`: a table of everything that must be refused before anything is touched.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type StoreOptions, storeConfig } from '../../src/assembly/store-config.js';
import { isKontikiError } from '../../src/base/errors.js';

const three = { a: '10.0.0.1:7000', b: '10.0.0.2:7000', c: '10.0.0.3:7000' };
const circular: Record<string, unknown> = {};
circular.self = circular;

function founders(count: number): Record<string, string> {
  const members = Array.from({ length: count }, (_, at) => [`m${at}`, `10.0.0.1:${7_000 + at}`]);
  return Object.fromEntries(members);
}

function errorOf(options: unknown): unknown {
  try {
    storeConfig(options as StoreOptions);
  } catch (error) {
    return error;
  }
  return 'nothing was thrown';
}

const wrong: readonly (readonly [string, unknown, string])[] = [
  ['null', null, 'OPTIONS_INVALID'],
  ['a text', 'data', 'OPTIONS_INVALID'],
  ['a number', 5, 'OPTIONS_INVALID'],
  ['a list', [], 'OPTIONS_INVALID'],
  ['an unknown name', { path: 'data' }, 'OPTIONS_INVALID'],
  ['a name in another case', { tickms: 100 }, 'OPTIONS_INVALID'],
  ['a name of the prototype', { toString: 1 }, 'OPTIONS_INVALID'],
  ['name: empty', { name: '' }, 'OPTIONS_INVALID'],
  ['name: null', { name: null }, 'OPTIONS_INVALID'],
  ['name: a number', { name: 5 }, 'OPTIONS_INVALID'],
  ['name: with a zero byte', { name: 'a\0b' }, 'OPTIONS_INVALID'],
  ['name: half of a surrogate pair', { name: 'a\ud83d' }, 'OPTIONS_INVALID'],
  [
    'cluster: names that are one in UTF-8',
    { name: '\ud83d', dir: 'd', cluster: { '\ud83d': 'a:1', '\ud83e': 'b:1' } },
    'OPTIONS_INVALID',
  ],
  ['token: half of a surrogate pair', { token: 'a\ud83d' }, 'OPTIONS_INVALID'],
  ['token: empty', { token: '' }, 'OPTIONS_INVALID'],
  ['token: null', { token: null }, 'OPTIONS_INVALID'],
  ['token: an object', { token: circular }, 'OPTIONS_INVALID'],
  ['dir: empty', { dir: '' }, 'OPTIONS_INVALID'],
  ['dir: null', { dir: null }, 'OPTIONS_INVALID'],
  ['dir: a URL', { dir: new URL('file:///data') }, 'OPTIONS_INVALID'],
  ['dir: with a zero byte', { dir: 'da\0ta' }, 'OPTIONS_INVALID'],
  ['listen: no port', { listen: 'localhost' }, 'OPTIONS_INVALID'],
  ['listen: no host', { listen: ':7000' }, 'OPTIONS_INVALID'],
  ['listen: a port alone', { listen: '7000' }, 'OPTIONS_INVALID'],
  ['listen: a number', { listen: 7000 }, 'OPTIONS_INVALID'],
  ['listen: port 65536', { listen: 'localhost:65536' }, 'OPTIONS_INVALID'],
  ['listen: a bare IPv6 address', { listen: '::1:7000' }, 'OPTIONS_INVALID'],
  ['listen: a URL', { listen: 'http://localhost:7000' }, 'OPTIONS_INVALID'],
  ['listen: a user', { listen: 'me@localhost:7000' }, 'OPTIONS_INVALID'],
  ['listen: brackets around no address', { listen: '[x y]:7000' }, 'OPTIONS_INVALID'],
  ['listen: a space', { listen: 'local host:7000' }, 'OPTIONS_INVALID'],
  [
    'tls without an address',
    { dir: 'd', tls: { ca: 'a', cert: 'b', key: 'c' } },
    'OPTIONS_INVALID',
  ],
  ['tls: a text', { listen: 'a:1', tls: 'cert.pem' }, 'OPTIONS_INVALID'],
  ['tls: null', { listen: 'a:1', tls: null }, 'OPTIONS_INVALID'],
  ['tls: no key', { listen: 'a:1', tls: { ca: 'a', cert: 'b' } }, 'OPTIONS_INVALID'],
  [
    'tls: an empty path',
    { listen: 'a:1', tls: { ca: '', cert: 'b', key: 'c' } },
    'OPTIONS_INVALID',
  ],
  [
    'tls: an unknown name',
    { listen: 'a:1', tls: { ca: 'a', cert: 'b', key: 'c', pfx: 'd' } },
    'OPTIONS_INVALID',
  ],
  ['history: a span itself', { history: '1h' }, 'OPTIONS_INVALID'],
  ['history: null', { history: null }, 'OPTIONS_INVALID'],
  ['history: an unknown name', { history: { keep: '1h', mode: 'periodic' } }, 'OPTIONS_INVALID'],
  ['history: no keep', { history: {} }, 'OPTIONS_INVALID'],
  ['history.keep: no unit', { history: { keep: '60' } }, 'OPTIONS_INVALID'],
  ['history.keep: below a second', { history: { keep: 999 } }, 'OPTIONS_INVALID'],
  ['history.keep: nothing', { history: { keep: 0 } }, 'OPTIONS_INVALID'],
  ['history.keep: for ever', { history: { keep: Infinity } }, 'OPTIONS_INVALID'],
  ['history.keep: 69 years', { history: { keep: '600000h' } }, 'OPTIONS_INVALID'],
  ['history.keep: null', { history: { keep: null } }, 'OPTIONS_INVALID'],
  ['history.keep: a list', { history: { keep: [5] } }, 'OPTIONS_INVALID'],
  ['history.keep: no revision', { history: { keep: { revisions: 0 } } }, 'OPTIONS_INVALID'],
  ['history.keep: half of one', { history: { keep: { revisions: 1.5 } } }, 'OPTIONS_INVALID'],
  ['history.keep: a text', { history: { keep: { revisions: '5' } } }, 'OPTIONS_INVALID'],
  ['history.keep: both', { history: { keep: { revisions: 5, ms: 5 } } }, 'OPTIONS_INVALID'],
  ['cluster without dir', { name: 'a', cluster: three }, 'DIR_REQUIRED'],
  ['cluster: null', { dir: 'd', cluster: null }, 'OPTIONS_INVALID'],
  ['cluster: a list', { dir: 'd', cluster: ['a'] }, 'OPTIONS_INVALID'],
  ['cluster: a text', { dir: 'd', cluster: 'a=b' }, 'OPTIONS_INVALID'],
  ['cluster: empty', { dir: 'd', cluster: {} }, 'MEMBER_UNKNOWN'],
  ['cluster: without the own name', { name: 'd', dir: 'd', cluster: three }, 'MEMBER_UNKNOWN'],
  ['cluster: without the default name', { dir: 'd', cluster: three }, 'MEMBER_UNKNOWN'],
  [
    'cluster: the own name from the prototype',
    { name: 'toString', dir: 'd', cluster: three },
    'MEMBER_UNKNOWN',
  ],
  [
    'cluster: one member too many',
    { name: 'm0', dir: 'd', cluster: founders(65) },
    'TOO_MANY_MEMBERS',
  ],
  ['name: too long', { name: 'n'.repeat(257) }, 'OPTIONS_INVALID'],
  [
    'cluster: a name that is too long',
    { name: 'a', dir: 'd', cluster: { ...three, ['n'.repeat(257)]: '127.0.0.1:7009' } },
    'OPTIONS_INVALID',
  ],
  [
    'cluster: an address that is too long',
    { name: 'a', dir: 'd', cluster: { ...three, b: `${'h'.repeat(252)}:7000` } },
    'OPTIONS_INVALID',
  ],
  [
    'cluster: a port that the system picks',
    { name: 'a', dir: 'd', cluster: { ...three, b: '127.0.0.1:0' } },
    'OPTIONS_INVALID',
  ],
  [
    'cluster: an address that is none',
    { name: 'a', dir: 'd', cluster: { ...three, b: 'nowhere' } },
    'OPTIONS_INVALID',
  ],
  [
    'cluster: an address that is no text',
    { name: 'a', dir: 'd', cluster: { ...three, b: 7000 } },
    'OPTIONS_INVALID',
  ],
  [
    'cluster: an address that only looks like one',
    { name: 'a', dir: 'd', cluster: { ...three, b: 'x/y:7000' } },
    'OPTIONS_INVALID',
  ],
  [
    'cluster: one address twice',
    { name: 'a', dir: 'd', cluster: { ...three, b: three.a } },
    'OPTIONS_INVALID',
  ],
  [
    'cluster: a name that is empty',
    { name: 'a', dir: 'd', cluster: { ...three, '': 'localhost:1' } },
    'OPTIONS_INVALID',
  ],
  ...(['tickMs', 'timeoutMs', 'heartbeatTicks', 'electionTicks'] as const).flatMap((name) =>
    [0, -1, Number.NaN, Infinity, '5', null, 5n, circular, Symbol('s')].map(
      (value) =>
        [
          `${name}: ${typeof value} ${String(value)}`,
          { [name]: value },
          'OPTIONS_INVALID',
        ] as const,
    ),
  ),
  ['tickMs: below 1', { tickMs: 0.5 }, 'OPTIONS_INVALID'],
  ['tickMs: more than a timer takes', { tickMs: 2 ** 31 }, 'OPTIONS_INVALID'],
  ['timeoutMs: more than a timer takes', { timeoutMs: 2 ** 31 }, 'OPTIONS_INVALID'],
  ['heartbeatTicks: no integer', { heartbeatTicks: 1.5 }, 'OPTIONS_INVALID'],
  ['electionTicks: no integer', { electionTicks: 10.5 }, 'OPTIONS_INVALID'],
  [
    'electionTicks: as few as heartbeats',
    { electionTicks: 3, heartbeatTicks: 3 },
    'OPTIONS_INVALID',
  ],
  ['electionTicks: longer than timers take', { electionTicks: 2 ** 33 }, 'OPTIONS_INVALID'],
  ['electionTicks: fewer than the default heartbeat', { electionTicks: 1 }, 'OPTIONS_INVALID'],
];

describe('store config: options that are wrong', () => {
  test.each(wrong)(
    '%s -> refused, and told what was expected and what came',
    (_, options, code) => {
      const error = errorOf(options);
      expect(error).toMatchObject({ code });
      if (!isKontikiError(error)) return;
      expect(error.message).toMatch(/^openStore: expected .+/);
      if (code === 'OPTIONS_INVALID') expect(error.message).toMatch(/, got .+$/);
      expect(error.outcome).toBeUndefined();
    },
  );

  test('the sentence names the option and the value', () => {
    expect(errorOf({ tickMs: Number.NaN })).toMatchObject({
      message: expect.stringMatching(/tickMs.* got NaN$/),
    });
    expect(errorOf({ path: 1 })).toMatchObject({
      message: expect.stringMatching(/dir, .*, got path$/),
    });
    expect(errorOf({ name: 'x', dir: 'd', cluster: three })).toMatchObject({
      message: expect.stringMatching(/\(a, b, c\).* x$/),
    });
    const twice = { name: 'a', dir: 'd', cluster: { ...three, c: three.a } };
    expect(errorOf(twice)).toMatchObject({
      message: expect.stringMatching(/addresses of a and c.*10\.0\.0\.1:7000$/),
    });
  });
});

describe('store config: defaults and identities', () => {
  test('nothing given: one member in memory', () => {
    const { memberId, clusterId, members, ...rest } = storeConfig({});
    expect(rest).toEqual({
      name: 'main',
      dir: undefined,
      listen: undefined,
      token: 'kontiki',
      tickMs: 100,
      heartbeatTicks: 1,
      electionTicks: 10,
      timeoutMs: 7_000,
      bootstrap: 'new',
      join: [],
      history: { ms: 3_600_000 },
    });
    expect(members).toEqual([{ id: memberId, name: 'main', address: undefined }]);
    expect(Number.isSafeInteger(clusterId) && clusterId > 0).toBe(true);
  });

  test('undefined options are not given', () => {
    const options = { name: undefined, dir: undefined, cluster: undefined, tickMs: undefined };
    expect(storeConfig(options)).toEqual(storeConfig({}));
  });

  test('history: a span, milliseconds, revisions, all', () => {
    const of = (keep: unknown) => storeConfig({ history: { keep } } as StoreOptions).history;
    expect(of('90m')).toEqual({ ms: 5_400_000 });
    expect(of(1_000)).toEqual({ ms: 1_000 });
    expect(of({ revisions: 1 })).toEqual({ revisions: 1 });
    expect(of('all')).toBe('all');
  });

  test('listen: the own address in the cluster, unless given', () => {
    const options = { name: 'b', dir: 'd', cluster: three };
    expect(storeConfig(options).listen).toBe(three.b);
    expect(storeConfig({ ...options, listen: '0.0.0.0:7000' }).listen).toBe('0.0.0.0:7000');
    expect(storeConfig({ ...options, listen: '[::1]:7000' }).listen).toBe('[::1]:7000');
  });

  test('members of one cluster agree on every id, whatever the order of their names', () => {
    const reversed = Object.fromEntries(Object.entries(three).reverse());
    const a = storeConfig({ name: 'a', dir: 'd', cluster: three });
    const b = storeConfig({ name: 'b', dir: 'e', cluster: reversed });
    expect(a.clusterId).toBe(b.clusterId);
    expect(a.memberId).not.toBe(b.memberId);
    const idsOf = (config: typeof a) => new Map(config.members.map(({ id, name }) => [name, id]));
    expect(idsOf(b)).toEqual(idsOf(a));
    expect(idsOf(a).get('a')).toBe(a.memberId);
  });

  test('another token, another set of names: another cluster', () => {
    const of = (options: StoreOptions) => storeConfig({ name: 'a', dir: 'd', ...options });
    const two = { a: three.a, b: three.b };
    const configs = [
      of({ cluster: three }),
      of({ cluster: two }),
      of({ cluster: three, token: 't' }),
    ];
    expect(new Set(configs.map((config) => config.clusterId)).size).toBe(3);
    expect(configs[0]?.memberId).toBe(configs[1]?.memberId);
    expect(configs[0]?.memberId).not.toBe(configs[2]?.memberId);
    // Addresses may change without becoming another cluster.
    const moved = { ...three, a: '10.0.0.9:7000' };
    expect(of({ cluster: moved }).clusterId).toBe(configs[0]?.clusterId);
  });

  test('names of the prototype are names like all others', () => {
    const cluster = JSON.parse('{"__proto__":"h:1","constructor":"h:2","toString":"h:3"}');
    const config = storeConfig({ name: '__proto__', dir: 'd', cluster });
    expect(config.listen).toBe('h:1');
    expect(config.members.map(({ name, address }) => `${name} ${address}`)).toEqual([
      '__proto__ h:1',
      'constructor h:2',
      'toString h:3',
    ]);
  });

  test('as many founders as a group may have members: taken', () => {
    const options = { name: 'm0', dir: 'd', cluster: founders(64) };
    expect(storeConfig(options).members).toHaveLength(64);
  });

  test('token and name that only together are the same: two members', () => {
    const ids = [
      storeConfig({ token: 'a', name: 'bc' }).memberId,
      storeConfig({ token: 'ab', name: 'c' }).memberId,
      storeConfig({ token: 'a1', name: 'b' }).memberId,
      storeConfig({ token: 'a', name: '1:b' }).memberId,
    ];
    expect(new Set(ids).size).toBe(4);
  });

  test('ids are safe integers above 0, and all different', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(name, name, name, (token, a, b) => {
        const cluster = Object.fromEntries([
          [a, 'h:1'],
          [`${a}${b}`, 'h:2'],
        ]);
        const { members, clusterId } = storeConfig({ name: a, dir: 'd', token, cluster });
        const ids = [...members.map(({ id }) => id), clusterId];
        expect(ids.every((id) => Number.isSafeInteger(id) && id > 0)).toBe(true);
        expect(new Set(ids).size).toBe(3);
      }),
    );
  });
});

test('alone at a port that the system picks -> others cannot reach it, which its members know', () => {
  const { members } = storeConfig({ name: 'a', dir: 'd', listen: '127.0.0.1:0' });
  expect(members).toMatchObject([{ name: 'a', address: undefined }]);
  const { members: reachable } = storeConfig({ name: 'a', dir: 'd', listen: '127.0.0.1:7' });
  expect(reachable).toMatchObject([{ name: 'a', address: '127.0.0.1:7' }]);
});

test('lists and bytes that change after the call -> what they were in it', () => {
  const key = Uint8Array.of(1, 2, 3);
  const join = ['a:1', 'b:1'];
  const tls = { ca: 'ca.pem', cert: 'cert.pem', key };
  const joining = { bootstrap: 'existing', dir: 'd', listen: 'c:1', join, tls } as const;
  const config = storeConfig(joining);
  key.fill(0);
  join.length = 0;
  tls.ca = 'other.pem';
  expect(config.join).toEqual(['a:1', 'b:1']);
  expect(config.tls).toEqual({ ca: 'ca.pem', cert: 'cert.pem', key: Uint8Array.of(1, 2, 3) });
});
