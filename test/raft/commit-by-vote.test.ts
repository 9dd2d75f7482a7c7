// A leader that applied its own removal steps down, and may be the only one to know of the commit:
// then the halves of the old configuration waited for each other for ever (found by random clusters,
// seed 1574 of 2026-11-21).
import { describe, expect, test } from 'vitest';
import { type ConfChange, encodeConfChange, type LogId } from '../../src/raft/index.js';
import { LoneNode } from './lone-node.js';

const remove3: ConfChange = { type: 'remove', memberId: 3 };

/** Member 1 of three, with the removal of 3 in its log at 2, not known to be committed. */
function candidate(): LoneNode {
  const lone = new LoneNode({ hardState: { term: 1, vote: 3, commit: 0 } });
  const change = { term: 1, index: 2, ...encodeConfChange(remove3) };
  const first = { term: 1, index: 1, type: 'normal', data: new Uint8Array(0) } as const;
  const envelope = { from: 3, to: 1, term: 1 } as const;
  const previous = { index: 0, term: 0 };
  const entries = [first, change];
  lone.step({ kind: 'append-request', ...envelope, previous, entries, commit: 1 });
  lone.flush();
  lone.node.campaign();
  lone.flush();
  expect(lone.node.status()).toMatchObject({ role: 'candidate', term: 2, commit: 1 });
  return lone;
}

function answer(lone: LoneNode, commit: LogId | undefined, granted = false): void {
  const envelope = { from: 3, to: 1, term: 2, granted };
  if (commit === undefined) lone.step({ kind: 'vote-response', ...envelope });
  else lone.step({ kind: 'vote-response', ...envelope, commit });
}

describe('commit by vote', () => {
  test('refused by one that knows the change to be committed -> applied, then counted anew', () => {
    const lone = candidate();
    answer(lone, { term: 1, index: 2 });
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 2, commit: 2 });
    const { apply } = lone.ready();
    expect(apply?.entries.map(({ type }) => type)).toEqual(['config-change']);
    lone.node.applyConfChange(remove3);
    lone.completeApply(apply);
    lone.node.campaign();
    const asked = lone.flush().filter(({ kind }) => kind === 'vote-request');
    expect(asked.map(({ to }) => to)).toEqual([2]);
  });

  test('granted by one that knows it -> the vote does not count under the old configuration', () => {
    const lone = candidate();
    answer(lone, { term: 1, index: 2 }, true);
    expect(lone.node.status()).toMatchObject({ role: 'follower', term: 2, commit: 2 });
  });

  test.each([
    ['nothing', undefined],
    ['another entry there', { term: 2, index: 2 }],
    ['an entry it lacks', { term: 1, index: 3 }],
    ['what it knew', { term: 1, index: 1 }],
  ])('told of %s -> the campaign goes on', (_, commit) => {
    const lone = candidate();
    answer(lone, commit);
    expect(lone.node.status()).toMatchObject({ role: 'candidate', commit: 1 });
  });

  test('a voter says what it knows to be committed, granted or not', () => {
    const lone = candidate();
    const last = { term: 1, index: 1 };
    lone.step({ kind: 'vote-request', from: 2, to: 1, term: 3, last });
    const [refused] = lone.flush();
    expect(refused).toMatchObject({ granted: false, commit: { term: 1, index: 1 } });
    lone.step({ kind: 'pre-vote-request', from: 2, to: 1, term: 4, last: { term: 1, index: 2 } });
    const [granted] = lone.flush();
    expect(granted).toMatchObject({ granted: true, commit: { term: 1, index: 1 } });
  });
});
