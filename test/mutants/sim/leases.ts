/** Defects of leases: who may end one, when, and what goes with it. */
import type { SimDefect } from './sim-defect.js';

export const leases: readonly SimDefect[] = [
  {
    name: 'leases: an expiry decided by an earlier leader has its effect',
    source: '12528, 15247, 16822',
    file: 'mvcc/lease-run.ts',
    find: '    if (expired.term !== placeOf(run).term) return staleTerm(expired.term);\n',
    replace: '',
    also: [
      {
        file: 'store/propose-in-term.ts',
        find: '{ timeoutMs, ownTerm }',
        replace: '{ timeoutMs, ...(ownTerm < 0 ? { ownTerm } : {}) }',
      },
      {
        file: 'store/lease-expiry.ts',
        find: '    const isConfirmed = await this.#confirm();\n    if (isConfirmed && this.#is(reign)) this.#handleDue',
        replace:
          '    const isConfirmed = true;\n    if (isConfirmed && this.#is(reign)) this.#handleDue',
      },
      // It need not even know yet that it leads no more.
      {
        file: 'store/lease-expiry.ts',
        find: '    if ((this.#reign?.term ?? 0) === term) return;\n',
        replace:
          '    if ((this.#reign?.term ?? 0) === term || (term === 0 && !this.#isClosed)) return;\n',
      },
      {
        file: 'store/lease-expiry.ts',
        find: 'return this.#reign === reign && this.#parts.node.leadTerm === reign.term;',
        replace: 'return this.#reign === reign;',
      },
    ],
  },
  {
    name: 'leases: an expiry of an earlier generation has its effect',
    source: '15247, L7',
    profile: 'focus-leases',
    file: 'mvcc/lease-run.ts',
    find: '    if (expired.generation !== lease.generation) return leaseNotFound(id);\n',
    replace: '',
  },
  {
    name: 'leases: a timer that fires late overtakes a keep-alive in the inbox',
    source: 'L2',
    file: 'store/lease-expiry.ts',
    find: '    const isConfirmed = await this.#confirm();\n    if (isConfirmed && this.#is(reign)) this.#handleDue',
    replace:
      '    const isConfirmed = true;\n    if (isConfirmed && this.#is(reign)) this.#handleDue',
    equivalent:
      'what is promised counts from keep-alives that succeeded, and one that is handled behind the timer ' +
      'waits for the revoke and fails; that it is heard first is a courtesy',
  },
  {
    name: 'leases: a keep-alive is answered without hearing that it leads',
    source: '20616',
    file: 'store/lease-expiry.ts',
    find: '      await node.readIndex({ byQuorum: true });\n      this.#mustBe(reign);\n      const nowMs',
    replace: '      await Promise.resolve(node);\n      this.#mustBe(reign);\n      const nowMs',
  },
  {
    name: 'leases: a keep-alive does not wait for a revoke under way',
    source: '20616',
    file: 'store/lease-expiry.ts',
    find: 'leases.flatMap((lease) => lease?.ending ?? []);',
    replace: 'leases.flatMap((lease) => (lease === undefined ? [] : []));',
    also: [
      {
        file: 'store/lease-expiry.ts',
        find: '        if (lease.ending === undefined) reign.watch.renew(lease, nowMs);\n',
        replace: '        reign.watch.renew(lease, nowMs);\n',
      },
    ],
    equivalent:
      "the leader's time for a lease ends behind the holder's, which counts no answer that comes after " +
      'its own: no keep-alive that finds a revoke under way can succeed',
  },
  {
    name: 'leases: a keep-alive of one that is gone succeeds',
    source: '20616',
    profile: 'focus-leases',
    elsewhere:
      '`test/store/lease-expiry`: a handle asks no more once its lease was revoked through it, or its time was over',
    file: 'store/lease-expiry.ts',
    find: 'it !== undefined && reign.watch.has(it) ? it.ttlSeconds : 0',
    replace: 'it === undefined ? 5 : it.ttlSeconds',
  },
  {
    name: 'leases: a keep-alive does not renew',
    source: 'L2',
    file: 'store/lease-expiry.ts',
    find: '        if (lease.ending === undefined) reign.watch.renew(lease, nowMs);\n',
    replace: '',
  },
  {
    name: 'leases: a new leader goes on with less than the log says',
    source: '13508, L6',
    file: 'store/lease-watch.ts',
    find: 'const leftMs = remainingMs === 0 ? ttlSeconds * 1_000 : remainingMs;',
    replace: 'const leftMs = remainingMs === 0 ? ttlSeconds * 250 : remainingMs;',
  },
  {
    name: 'leases: a new leader begins before it has applied the terms before',
    source: 'L6',
    profile: 'focus-leases',
    file: 'store/lease-expiry.ts',
    find: '      const isConfirmed = await this.#confirm();\n      if (!this.#is(reign)) return;\n',
    replace: '      const isConfirmed = true;\n',
  },
  {
    name: 'leases: a grant is not watched over',
    source: 'L2, V',
    file: 'store/lease-expiry.ts',
    find: '      reign.watch.add(result.lease, this.#parts.clock.monotonicMs());\n',
    replace: '',
  },
  {
    name: 'leases: one that was revoked is back after a restart',
    source: 'L4',
    file: 'mvcc/lease-run.ts',
    find: '  draft.changes.push([leaseKey(id), undefined]);\n',
    replace: '',
  },
  {
    name: 'leases: a revoke deletes only the first of its keys',
    source: 'L1',
    file: 'mvcc/lease-run.ts',
    find: '      const bytes = deleteAttached(id, { keys, records }, draft);\n',
    replace:
      '      const bytes = deleteAttached(id, { keys: keys.slice(0, 1), records }, draft);\n',
  },
  {
    name: 'leases: a key that is put anew stays attached',
    source: 'L1',
    file: 'mvcc/revision-draft.ts',
    find: '      this.#detach(key, previous?.lease);\n',
    replace: '',
  },
  {
    name: 'leases: a deleted key stays attached',
    source: 'L1',
    file: 'mvcc/revision-draft.ts',
    find: '    this.#detach(key, before.version.lease);\n',
    replace: '',
  },
  {
    name: 'leases: a put attaches nothing',
    source: 'L1',
    file: 'mvcc/revision-draft.ts',
    find: '      this.#attach(key, current.lease);\n',
    replace: '',
  },
  {
    name: 'leases: one that is gone takes keys',
    source: 'L4',
    file: 'mvcc/txn-run.ts',
    find: 'lease === 0n || leases.hasLease(lease)) return undefined;',
    replace: 'lease === 0n || leases.hasLease(lease) || lease > 0n) return undefined;',
  },
];
