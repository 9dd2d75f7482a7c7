// Writes that are passed on, and the terms in which they are taken: made-up members send and apply.
import { describe, expect, test } from 'vitest';
import { encodeCommand } from '../../../src/codec/command-codec.js';
import type { WireMessage } from '../../../src/codec/wire-message.js';
import type { OpenedNode } from '../../../src/node/index.js';
import type { RawNode } from '../../../src/raft/raw-node.js';
import { assertingObserver, type SimMachine } from '../../../src/testing/sim-machine.js';
import { MeantTerms } from '../../../src/testing/workload/meant-terms.js';

const command = encodeCommand({
  session: 5,
  seq: 1,
  doneBelow: 1,
  command: { op: 'compact', revision: 1 },
});

/** Member 1, which has passed a write on to the leader of term 3. */
function passedOn() {
  const found: string[] = [];
  const sent: string[] = [];
  const meant = new MeantTerms((id) => found.push(id));
  const observer = { ...assertingObserver, stepped: () => undefined };
  const onSend = ({ kind }: WireMessage) => sent.push(kind);
  const machine = { observer, onSend } as unknown as SimMachine;
  meant.watch(machine);
  machine.observer.opened({ memberId: 1 } as OpenedNode);
  const passed = { kind: 'forward-request', from: 1, to: 2, term: 3, id: 9 } as const;
  machine.onSend?.({ ...passed, commands: [command] });
  const take = (term: number, data = command) =>
    meant.take({ index: 4, term, type: 'normal', data });
  const lead = (term: number) => machine.observer.stepped({ role: 'leader', term } as RawNode);
  return { found, sent, take, lead };
}

describe('terms that writes are meant for', () => {
  test('taken in the term that was named -> nothing to complain of, others hear of the message', () => {
    const { found, sent, take } = passedOn();
    take(3);
    expect(found).toEqual([]);
    expect(sent).toEqual(['forward-request']);
  });

  test('taken in another term -> X6', () => {
    const { found, take } = passedOn();
    take(4);
    expect(found).toEqual(['X6']);
  });

  test('the member that passed it on leads by then -> it may take it itself', () => {
    const { found, take, lead } = passedOn();
    lead(4);
    take(4);
    expect(found).toEqual([]);
    take(5);
    expect(found).toEqual(['X6']);
  });

  test('what nobody passed on, and entries without a command -> any term', () => {
    const { found, take } = passedOn();
    take(4, new Uint8Array(0));
    const own = { op: 'compact', revision: 2 } as const;
    take(4, encodeCommand({ session: 6, seq: 1, doneBelow: 1, command: own }));
    expect(found).toEqual([]);
  });
});
