// The conformance suite of Transport on each one there is.
import { transportSuite } from '../../src/testing/index.js';
import { runner } from '../storage/rigs.js';
import { Authority } from './tcp/certificates.js';
import { TcpWorld } from './tcp/tcp-world.js';
import { MemoryWorld, realRig, simulatedRig } from './worlds.js';

const misdirected = 'admission: another member behind the address, or oneself -> MEMBER_UNKNOWN';

transportSuite({ runner, name: 'memory hub', factory: () => realRig(new MemoryWorld()) });

transportSuite({ runner, name: 'tcp', factory: () => realRig(new TcpWorld()) });

const authority = Authority.make();

transportSuite({
  runner,
  name: 'tcp with tls',
  factory: async () => {
    const { ca, sign } = await authority;
    return realRig(new TcpWorld({ tls: { ca, ...(await sign()) } }));
  },
  skip: [{ test: misdirected, reason: 'whoever is not to be found is TLS_REFUSED before that' }],
});

transportSuite({
  runner,
  name: 'simulated network',
  factory: simulatedRig,
  skip: [{ test: misdirected, reason: 'its addresses are member ids' }],
});
