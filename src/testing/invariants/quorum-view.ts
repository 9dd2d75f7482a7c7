/**
 * Who is enough, counted independently of the code under test.
 */
import type { ConfigurationView } from './node-view.js';

/**
 * Whether members for which `has` holds can decide: a majority of each half that there is.
 *
 * @param configuration - in force
 * @param has - asked once per voter and half
 * @since 0.1.0
 */
export function isQuorum(
  configuration: Pick<ConfigurationView, 'voters' | 'votersOutgoing'>,
  has: (id: number) => boolean,
): boolean {
  return (
    isMajority(configuration.voters, has) &&
    (configuration.votersOutgoing.length === 0 || isMajority(configuration.votersOutgoing, has))
  );
}

function isMajority(voters: readonly number[], has: (id: number) => boolean): boolean {
  let count = 0;
  for (const id of voters) if (has(id)) count += 1;
  return voters.length === 0 || 2 * count > voters.length;
}

/**
 * Whether two configurations are the same, in whatever order their lists are.
 *
 * @since 0.1.0
 */
export function isSameConfiguration(a: ConfigurationView, b: ConfigurationView): boolean {
  if (a === b) return true;
  return (
    isSameSet(a.voters, b.voters) &&
    isSameSet(a.votersOutgoing, b.votersOutgoing) &&
    isSameSet(a.learners, b.learners) &&
    a.autoLeave === b.autoLeave
  );
}

function isSameSet(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

/**
 * A configuration as text, for messages: `1 2 3`, or `2 3 4 & 1 2 3` while joint.
 *
 * @since 0.1.0
 */
export function configurationText(configuration: ConfigurationView): string {
  const { voters, votersOutgoing, learners } = configuration;
  const halves = votersOutgoing.length === 0 ? [voters] : [voters, votersOutgoing];
  const text = halves.map((half) => half.join(' ')).join(' & ');
  return learners.length === 0 ? text : `${text} (learners ${learners.join(' ')})`;
}
