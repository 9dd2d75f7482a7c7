// A lone voter whose term was given up: it leads another one at once, or goes on to lead.
import { expect, test } from 'vitest';
import { LoneNode } from './lone-node.js';

/** Led by what `timeout-now` brought, while it still pledges for as long. */
function ledByTransfer(pledgeTicks: number): LoneNode {
  const leases = pledgeTicks > 0 ? { leaseMs: 30_000, pledgeTicks } : {};
  const lone = new LoneNode({ voters: [1, 2], checkQuorum: true, electionTicks: 10, ...leases });
  lone.tick(400);
  for (let nth = 0; nth < 3; nth += 1) lone.flush();
  const term = lone.node.status().term + 1;
  const from2 = { from: 2, to: 1 } as const;
  lone.step({ kind: 'heartbeat-request', ...from2, term, commit: 0, reads: 0, sentAt: 1_000 });
  lone.flush();
  lone.step({ kind: 'timeout-now', ...from2, term });
  lone.flush();
  lone.step({ kind: 'vote-response', ...from2, term: term + 1, granted: true });
  const answered = () => {
    lone.flush();
    const { lastIndex: index } = lone.node.status();
    lone.step({ kind: 'append-response', ...from2, term: term + 1, index });
    lone.flush();
  };
  answered();
  const change = { type: 'remove', memberId: 2 } as const;
  lone.node.proposeConfChange(change);
  answered();
  lone.node.applyConfChange(change);
  lone.flush();
  const { role, configuration } = lone.node.status();
  expect([role, configuration.voters]).toEqual(['leader', [1]]);
  return lone;
}

test('it may campaign -> it leads the next term', () => {
  const lone = ledByTransfer(0);
  const { term } = lone.node.status();
  lone.node.leadAnew();
  for (let nth = 0; nth < 3; nth += 1) lone.flush();
  expect(lone.node.status()).toMatchObject({ role: 'leader', term: term + 1 });
});

test('it still pledges not to -> it goes on to lead', () => {
  const lone = ledByTransfer(332);
  const { term } = lone.node.status();
  lone.node.leadAnew();
  lone.flush();
  expect(lone.node.status()).toMatchObject({ role: 'leader', term });
});
