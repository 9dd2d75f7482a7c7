/** How scenario files write changes and configurations. The product itself prints neither. */
import type { ConfChangeSingle, ConfChangeType, Configuration } from '../../src/raft/index.js';

const typeOf: Readonly<Record<string, ConfChangeType>> = {
  v: 'add-voter',
  l: 'add-learner',
  r: 'remove',
  u: 'update',
};

/** Reads `v1 l2 r3 u4`. */
export function parseChanges(text: string): ConfChangeSingle[] {
  const words = text.split(/\s+/).filter((word) => word !== '');
  return words.map((word) => {
    const [, letter = '', id = ''] = /^([vlru])(\d+)$/.exec(word) ?? [];
    const type = typeOf[letter];
    if (type === undefined) throw new Error(`expected a change such as v1, got ${word}`);
    return { type, memberId: Number(id) };
  });
}

/** `voters=(2 3)&&(1) learners=(4) learners_next=(1) autoleave`, in short where there is nothing. */
export function configurationText(configuration: Configuration): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = configuration;
  const list = (ids: readonly number[]): string => `(${ids.join(' ')})`;
  let text = `voters=${list(voters)}`;
  if (votersOutgoing.length > 0) text += `&&${list(votersOutgoing)}`;
  if (learners.length > 0) text += ` learners=${list(learners)}`;
  if (learnersNext.length > 0) text += ` learners_next=${list(learnersNext)}`;
  return autoLeave ? `${text} autoleave` : text;
}

const letterOf = Object.fromEntries(
  Object.entries(typeOf).map(([letter, type]) => [type, letter]),
) as Readonly<Record<ConfChangeType, string>>;

/** What {@link parseChanges} reads. */
export function changeText(changes: readonly ConfChangeSingle[]): string {
  return changes.map(({ type, memberId }) => `${letterOf[type]}${memberId}`).join(' ');
}
