/** Defects of locks: who holds one, when, and what is left behind. */
import type { SimDefect } from './sim-defect.js';

export const locks: readonly SimDefect[] = [
  {
    name: 'locks: who waited for one key does not look for others before its own',
    source: 'K2',
    profile: 'locks',
    file: 'concurrency/place.ts',
    find: '      await this.#untilGone(next, revision, signal);\n',
    replace: '      await this.#untilGone(next, revision, signal);\n      break;\n',
  },
  {
    name: 'locks: who gives up waiting leaves its key in the line',
    source: 'K3, V2',
    profile: 'locks',
    file: 'concurrency/place.ts',
    find: '        place.leave().catch(() => undefined);\n',
    replace:
      '        if (patience.signal.aborted) throw patience.signal.reason;\n        place.leave().catch(() => undefined);\n',
  },
  {
    name: 'locks: a holder does not hear that its session is lost',
    source: 'K2, DESIGN 4.19',
    profile: 'locks',
    file: 'concurrency/held-key.ts',
    find: '_whenLost(() => this.#lose(place.session.lost.reason)),',
    replace: '_whenLost(() => undefined),',
    also: [
      {
        file: 'concurrency/held-key.ts',
        find: '    if (lost.aborted) this.#lose(lost.reason);\n    return',
        replace: '    if (lost.aborted && this.token === 0) this.#lose(lost.reason);\n    return',
      },
    ],
  },
  {
    name: 'locks: a lease is lost when its timer fires, not when its time is over',
    source: 'K2, DESIGN 4.19',
    profile: 'locks',
    file: 'store/lease.ts',
    find: '    this.#lossTime();\n    return this.#lost.signal;\n',
    replace: '    return this.#lost.signal;\n',
  },
  {
    name: 'locks: a session that is closed tells its holders when the answer comes',
    source: 'K2, DESIGN 4.19',
    profile: 'locks',
    file: 'concurrency/session.ts',
    find: '    callAll(this.#whenClosed);\n',
    replace: '',
    also: [
      { file: 'store/leases.ts', find: '          onSend();\n', replace: '' },
      {
        file: 'store/leases.ts',
        find: '          return { revision: result.revision, deleted',
        replace: '          onSend();\n          return { revision: result.revision, deleted',
      },
    ],
  },
];
