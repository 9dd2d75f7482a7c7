// Processes that speak mutual TLS, each on a loopback address of its own with a certificate for it alone:
// one that joins under load is let in, and one with a certificate that is wrong in any way is not.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Authority, type LeafOptions } from '../transport/tcp/certificates.js';
import type { MemberPlace } from './protocol.js';
import { Run } from './run.js';

const isShort = Number(process.env.KONTIKI_DEPTH ?? 1) <= 1;

let run: Run | undefined;
afterEach(() => run?.end());

/** Certificates in files, by the number of the member that is made next. */
class Certificates {
  readonly #made: { readonly host: string; readonly tls: MemberPlace['tls'] }[] = [];
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  readonly of = (nth: number) => {
    const made = this.#made[nth - 1];
    if (made === undefined) throw new Error(`no certificate for member ${nth}`);
    return made;
  };

  /** @param options - what is wrong with it; default nothing */
  async add(ours: Authority, signer = ours, options: LeafOptions = {}): Promise<void> {
    const nth = this.#made.length + 1;
    const host = `127.0.0.${nth + 1}`;
    const pair = await signer.sign({ names: [host], ...options });
    const path = (what: string) => join(this.#folder, `${nth}-${what}.pem`);
    const tls = { ca: path('ca'), cert: path('cert'), key: path('key') };
    await mkdir(this.#folder, { recursive: true });
    await writeFile(tls.ca, ours.ca);
    await writeFile(tls.cert, pair.cert);
    await writeFile(tls.key, pair.key);
    this.#made.push({ host, tls });
  }
}

test('mutual TLS, under load -> the right one joins; wrong ones do not, and disturb nobody', async (context) => {
  context.skip(isShort, 'only with KONTIKI_DEPTH above 1');
  let certificates: Certificates | undefined;
  run = await Run.begin((nth) => (certificates as Certificates).of(nth));
  certificates = new Certificates(join(run.folder, 'certificates'));
  const [ours, theirs] = [await Authority.make(), await Authority.make('other')];
  for (let nth = 0; nth < 4; nth += 1) await certificates.add(ours);
  const { cluster } = run;
  await cluster.found(['n1', 'n2', 'n3']);
  await cluster.untilWell();
  const n4 = await cluster.add('n4', cluster.other(await cluster.leader()));

  const wrong: [string, Authority, LeafOptions][] = [
    ['expired', ours, { days: -1 }],
    ['of another authority', theirs, {}],
    ['of another host', ours, { names: ['127.0.0.1'] }],
  ];
  for (const [what, signer, options] of wrong) {
    await certificates.add(ours, signer, options);
    expect(await cluster.tryToAdd('n5', n4), what).toBe('TLS_REFUSED');
  }
  await cluster.untilWell();
  await run.judge();
  expect(run.journal.failedReads()).toEqual([]);
  expect(run.ended.filter((how) => how !== 'watch-ended: CLOSED')).toEqual([]);
}, 180_000);
