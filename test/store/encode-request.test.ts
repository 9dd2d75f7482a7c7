// A request is measured once, for every name under which it may be sent.
import { expect, test } from 'vitest';
import { limits } from '../../src/base/limits.js';
import { sessionIdEnd } from '../../src/base/session-id.js';
import type { ProposalId } from '../../src/node/index.js';
import { encodeRequest } from '../../src/store/encode-request.js';

const ids: readonly ProposalId[] = [
  { session: 0, seq: 1, doneBelow: 1 },
  { session: 200, seq: 1, doneBelow: 1 },
  { session: 70_000, seq: 300, doneBelow: 2 },
  { session: sessionIdEnd - 1, seq: 2 ** 40, doneBelow: 2 ** 39 },
];

test('what fits before its session is known fits under each session that it may get', () => {
  const fits = (bytes: number, id: ProposalId): boolean => {
    try {
      const put = { op: 'put', key: 'a', value: new Uint8Array(bytes) } as const;
      return encodeRequest(id, put).length <= limits.requestBytesMax;
    } catch (error) {
      expect(error).toMatchObject({ code: 'REQUEST_TOO_LARGE', outcome: 'rejected' });
      return false;
    }
  };
  const seen = new Set<boolean>();
  // A command that fits at first and not when it is taken would be refused in the middle of a turn.
  for (let short = 50; short >= 0; short -= 1) {
    const answers = new Set(ids.map((id) => fits(limits.requestBytesMax - short, id)));
    expect([short, answers.size]).toEqual([short, 1]);
    for (const answer of answers) seen.add(answer);
  }
  expect([...seen]).toEqual([true, false]);
});
