/**
 * How one configuration follows from another: one voter at a time, or any number through the joint
 * state (thesis §4.1, §4.3). Pure: configuration in, configuration out, or a refusal that is the
 * same on every member, since only the two arguments decide.
 */
import {
  type ConfChange,
  type ConfChangeSingle,
  type ConfChangeV2,
  classifyChange,
  toConfChangeV2,
} from './conf-change.js';
import {
  type Configuration,
  checkConfiguration,
  configurationInvalid,
  describeConfiguration,
  isJoint,
} from './configuration.js';
import { MembershipDraft, type MembershipStep } from './membership-draft.js';

/**
 * Where a change of either form leads.
 *
 * @param configuration - the applied one
 * @throws {KontikiError} CONFIGURATION_INVALID, see {@link simpleChange}, {@link enterJoint} and
 * {@link leaveJoint}; or reason `unknown-change`: no such transition
 * @since 0.1.0
 */
export function applyChange(
  configuration: Configuration,
  change: ConfChange | ConfChangeV2,
): MembershipStep {
  const step = classifyChange(change);
  if (step.kind === 'leave-joint') return leaveJoint(configuration);
  const { changes } = toConfChangeV2(change);
  if (step.kind === 'simple') return simpleChange(configuration, changes);
  return enterJoint(configuration, changes, step);
}

/**
 * Refuses a change that would be refused when it is applied, for use before it is proposed. Without
 * this a change that no member can apply is committed first (semantics O6). Beyond what
 * {@link applyChange} refuses, a change without changes is refused unless it leaves a joint state.
 *
 * @param configuration - the applied one; no other change may be on its way
 * @throws {KontikiError} CONFIGURATION_INVALID, `outcome: 'rejected'`
 * @since 0.1.0
 */
export function validateChange(
  configuration: Configuration,
  change: ConfChange | ConfChangeV2,
): void {
  if (toConfChangeV2(change).changes.length === 0) checkJoint(configuration);
  applyChange(configuration, change);
}

/**
 * Changes members directly. At most one voter may come or go: only then has every majority of the
 * old configuration a member in common with every majority of the new one (thesis §4.1).
 *
 * @param configuration - not joint
 * @param changes - in order
 * @throws {KontikiError} CONFIGURATION_INVALID, by reason: `joint`; `several-voters`: more than one
 * would come or go; `voters-removed`: none would be left; `unknown-change`: no such type, or no
 * possible member id; `malformed`: the configuration itself
 * @since 0.1.0
 */
export function simpleChange(
  configuration: Configuration,
  changes: readonly ConfChangeSingle[],
): MembershipStep {
  checkConfiguration(configuration);
  checkNotJoint(configuration);
  const draft = new MembershipDraft(configuration);
  draft.applyAll(changes);
  const { voters } = configuration;
  const left = voters.filter((id) => !draft.voters.has(id)).length;
  const joined = draft.voters.size - (voters.length - left);
  if (left + joined > 1) {
    const got = `${joined} coming and ${left} going`;
    throw configurationInvalid('several-voters', 'at most one voter to change', got);
  }
  return draft.finish(false);
}

/**
 * Enters the joint state: the present voters become the outgoing half, `changes` make the incoming
 * one. Members that leave keep their vote, and those demoted stay voters, until it is left.
 *
 * @param configuration - not joint
 * @param changes - in order; may be empty
 * @param options.autoLeave - whether the leader itself proposes to leave
 * @throws {KontikiError} CONFIGURATION_INVALID, by reason: `joint`; `no-voters`: there is no
 * outgoing half to be had; `voters-removed`, `unknown-change`, `malformed` as in
 * {@link simpleChange}
 * @since 0.1.0
 */
export function enterJoint(
  configuration: Configuration,
  changes: readonly ConfChangeSingle[],
  options: { readonly autoLeave: boolean },
): MembershipStep {
  checkConfiguration(configuration);
  checkNotJoint(configuration);
  if (configuration.voters.length === 0) {
    throw configurationInvalid('no-voters', 'at least one voter', 'none');
  }
  const draft = new MembershipDraft(configuration);
  for (const id of configuration.voters) draft.votersOutgoing.add(id);
  draft.applyAll(changes);
  return draft.finish(options.autoLeave);
}

/**
 * Leaves the joint state: the outgoing half goes, and those to be demoted are learners from now on.
 *
 * @param configuration - joint
 * @throws {KontikiError} CONFIGURATION_INVALID, by reason: `not-joint`; `malformed`
 * @since 0.1.0
 */
export function leaveJoint(configuration: Configuration): MembershipStep {
  checkConfiguration(configuration);
  checkJoint(configuration);
  const draft = new MembershipDraft(configuration);
  draft.dropOutgoing();
  return draft.finish(false);
}

function checkNotJoint(configuration: Configuration): void {
  if (!isJoint(configuration)) return;
  const got = describeConfiguration(configuration);
  throw configurationInvalid('joint', 'to leave the joint configuration first', got);
}

function checkJoint(configuration: Configuration): void {
  if (isJoint(configuration)) return;
  const got = describeConfiguration(configuration);
  throw configurationInvalid('not-joint', 'a joint configuration to leave', got);
}
