/**
 * The cases of the quorum files: the answers, and the pictures they are drawn with. Beside each answer
 * the laws of joint quorums are checked on the same input (conformance §6.1).
 */
import { expect } from 'vitest';
import {
  committedIndex,
  jointCommittedIndex,
  jointVoteResult,
  type VoterHalves,
  voteResult,
} from '../../../src/raft/index.js';
import { type Directive, valuesOf } from '../datadriven.js';
import type { Relabelling } from './relabelling.js';

const resultText = { won: 'VoteWon', lost: 'VoteLost', pending: 'VotePending' } as const;

interface Case {
  readonly halves: VoterHalves;
  /** Whether to take the joint functions, be the outgoing half empty or not. */
  readonly joint: boolean;
  /** What each id answered; ids that did not are absent. */
  readonly answers: ReadonlyMap<number, string>;
}

function parseCase(directive: Directive, names: Relabelling, key: 'idx' | 'votes'): Case {
  const idsOf = (name: string): number[] => {
    const values = valuesOf(directive, name) ?? [];
    return values.filter((value) => value !== 'zero').map((value) => names.id(Number(value)));
  };
  const halves = { voters: idsOf('cfg'), votersOutgoing: idsOf('cfgj') };
  const ids = [...new Set([...halves.voters, ...halves.votersOutgoing])];
  const values = valuesOf(directive, key) ?? [];
  if (values.length !== ids.length) {
    throw new Error(`expected ${ids.length} values of ${key}, got ${values.length}`);
  }
  const answers = new Map<number, string>();
  for (const [at, id] of ids.entries()) if (values[at] !== '_') answers.set(id, values[at]!);
  return { halves, joint: valuesOf(directive, 'cfgj') !== undefined, answers };
}

const swap = ({ voters, votersOutgoing }: VoterHalves): VoterHalves => ({
  voters: votersOutgoing,
  votersOutgoing: voters,
});

function vote(directive: Directive, names: Relabelling): string {
  const { halves, joint, answers } = parseCase(directive, names, 'votes');
  const votes = new Map([...answers].map(([id, answer]) => [id, answer === 'y'] as const));
  const { voters } = halves;
  const result = joint ? jointVoteResult(halves, votes) : voteResult(voters, votes);
  expect(jointVoteResult(swap(halves), votes), 'the halves commute').toBe(result);
  if (!joint) {
    expect(jointVoteResult({ voters, votersOutgoing: voters }, votes), 'with itself').toBe(result);
  }
  return resultText[result];
}

function committed(directive: Directive, names: Relabelling): string {
  const { halves, joint, answers } = parseCase(directive, names, 'idx');
  const indexes = new Map(
    [...answers].map(([id, answer]) => [id, names.index(Number(answer))] as const),
  );
  const read = (id: number): number | undefined => indexes.get(id);
  const { voters } = halves;
  const index = joint ? jointCommittedIndex(halves, read) : committedIndex(voters, read);
  expect(jointCommittedIndex(swap(halves), read), 'the halves commute').toBe(index);
  if (!joint) {
    const twice = { voters, votersOutgoing: voters };
    expect(jointCommittedIndex(twice, read), 'with itself').toBe(index);
  }
  for (const [low, own] of indexes) {
    if (own >= index) continue;
    const lowered = (id: number): number | undefined => (id === low ? 0 : read(id));
    expect(jointCommittedIndex(halves, lowered), `${low} falls back`).toBe(index);
  }
  const shown = index === Infinity ? '∞' : names.shownIndex(index);
  return `${picture(halves, indexes, names)}${shown}`;
}

/** A bar for each id, as long as the number of ids that are behind it. */
function picture(
  halves: VoterHalves,
  indexes: ReadonlyMap<number, number>,
  names: Relabelling,
): string {
  const ids = [...new Set([...halves.voters, ...halves.votersOutgoing])].sort((a, b) => a - b);
  if (ids.length === 0) return '<empty majority quorum>';
  const indexOf = (id: number): number => indexes.get(id) ?? 0;
  const rows = ids.map((id) => {
    const behind = ids.filter((other) => indexOf(other) < indexOf(id)).length;
    const bar = indexes.has(id) ? `${'x'.repeat(behind)}>` : '?';
    const index = String(names.shownIndex(indexOf(id))).padStart(5);
    return `${bar.padEnd(ids.length + 1)} ${index}    (id=${names.label(id).toString(16)})\n`;
  });
  return `${' '.repeat(ids.length)}    idx\n${rows.join('')}`;
}

/** What the case shows. */
export function runQuorumCase(directive: Directive, names: Relabelling): string {
  if (directive.command === 'vote') return vote(directive, names);
  if (directive.command === 'committed') return committed(directive, names);
  throw new Error(`expected vote or committed, got ${directive.command}`);
}
