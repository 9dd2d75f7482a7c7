/**
 * Changes of the configuration, as a careful operator and as a careless one would ask for them.
 */
import { type Random, randomInt } from '../../base/prng.js';
import {
  type ConfChange,
  type ConfChangeSingle,
  type ConfChangeV2,
  type Configuration,
  isJoint,
  type MemberId,
  memberIds,
} from '../../raft/index.js';

/** The application turns down changes whose context begins with this, on every member. */
const turnedDown = 1;

/**
 * Whether the simulated application turns a change down.
 *
 * @since 0.1.0
 */
export function isTurnedDown({ context }: ConfChange | ConfChangeV2): boolean {
  return context?.[0] === turnedDown;
}

const types = ['add-voter', 'add-voter', 'add-learner', 'remove', 'remove', 'update'] as const;
const transitions = ['auto', 'auto', 'joint-implicit', 'joint-explicit'] as const;

/**
 * Draws a change of the configuration.
 *
 * @param random - decides
 * @param configuration - the one to change
 * @param ids - everyone who may ever be a member; an id always means the same disk
 * @since 0.1.0
 */
export function drawChange(
  random: Random,
  configuration: Configuration,
  ids: readonly MemberId[],
): ConfChange | ConfChangeV2 {
  const int = (bound: number): number => randomInt(random, bound);
  const leave = isJoint(configuration) ? int(4) > 0 : int(20) === 0;
  const context = int(12) === 0 ? Uint8Array.of(turnedDown) : undefined;
  if (leave) return { transition: 'auto', changes: [], context };
  if (int(3) === 0) return { ...drawSingle(random, configuration, ids), context };
  const changes = Array.from({ length: int(4) }, () => drawSingle(random, configuration, ids));
  const [replaced] = configuration.voters;
  if (replaced !== undefined && int(3) === 0) {
    const type = int(2) === 0 ? 'remove' : 'add-learner';
    changes.push({ type, memberId: replaced });
  }
  return {
    transition: transitions[int(transitions.length)] as (typeof transitions)[number],
    changes,
    context,
  };
}

function drawSingle(
  random: Random,
  configuration: Configuration,
  ids: readonly MemberId[],
): ConfChangeSingle {
  const int = (bound: number): number => randomInt(random, bound);
  const { voters, learners } = configuration;
  const outside = ids.filter((id) => !memberIds(configuration).includes(id));
  const anybody = int(40) === 0 ? 0 : (ids[int(ids.length)] as MemberId);
  // Small groups grow and large ones shrink, or most runs would end with one voter.
  if (voters.length <= 2 && int(4) > 0) {
    const memberId = [...learners, ...outside][0] ?? anybody;
    return { type: int(4) === 0 ? 'add-learner' : 'add-voter', memberId };
  }
  if (voters.length >= 5 && int(2) === 0) {
    return { type: 'remove', memberId: voters[int(voters.length)] as MemberId };
  }
  return { type: types[int(types.length)] as (typeof types)[number], memberId: anybody };
}
