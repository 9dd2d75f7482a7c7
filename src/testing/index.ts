/**
 * Deterministic simulation: the environment that tests kontiki, for your own state machine and parts.
 * Covered by semantic versioning like every other entry point.
 */

export type { OpenState } from '../assembly/open-member.js';
export { type Random, randomInt } from '../base/prng.js';
export type { ProposalId, StateMachine } from '../node/index.js';
export { allFaults, type BareFaults, noFaults, swarmFaults } from './bare/bare-faults.js';
export type { BareLoadOptions } from './bare/bare-load.js';
export type { GroupOptions } from './bare/core-options.js';
export {
  type CoreReport,
  type SimulateCoresOptions,
  simulateCores,
} from './bare/simulate-cores.js';
export { type Change, type ChangeKind, changeKinds } from './changes/change.js';
export type { AppendRegisterAnswer, AppendRegisterInput } from './checkers/append-register.js';
export { appendRegisterModel } from './checkers/append-register.js';
export { historySvg } from './checkers/history-svg.js';
export type { KeyspaceAnswer, KeyspaceRefusal } from './checkers/keyspace-answer.js';
export {
  type KeyspaceInput,
  type KeyspaceOutput,
  keyspaceModel,
  keyspaceSpecification,
} from './checkers/keyspace-model.js';
export type { KeyspaceContent, KeyspaceState } from './checkers/keyspace-state.js';
export {
  checkLinearizable,
  type LinearizabilityResult,
  type PartResult,
} from './checkers/linearizability.js';
export { checkLog } from './checkers/log-check.js';
export type {
  LogEntry,
  LogFinding,
  LogFindingKind,
  LoggedOperation,
  LogSpecification,
} from './checkers/log-types.js';
export type { Placed } from './checkers/longest-prefix.js';
export { type Executed, type Model, modelOf, type Specification } from './checkers/model.js';
export type { Observed } from './checkers/observed.js';
export type { History, Operation } from './checkers/operation.js';
export type { SearchBudget, SearchResult, Verdict } from './checkers/part-search.js';
export { partsByKey } from './checkers/parts.js';
export {
  type RegisterAnswer,
  type RegisterInput,
  type RegisterValue,
  registerModel,
} from './checkers/register.js';
export { SortedMap } from './checkers/sorted-map.js';
export { type MachineClusterOptions, machineCluster } from './cluster/machine-cluster.js';
export {
  type OpenService,
  SimCluster,
  type SimClusterOptions,
  type SimPlace,
  type SimService,
  type SimStatus,
} from './cluster/sim-cluster.js';
export { type StoreClusterOptions, storeCluster } from './cluster/store-cluster.js';
export { EngineView } from './engine-view.js';
export {
  drawFault,
  type Fault,
  type FaultKind,
  faultKinds,
  machineFaultKinds,
} from './faults/fault.js';
export type { FaultTarget } from './faults/fault-type.js';
export { Incarnation, type IncarnationName } from './incarnation.js';
export { CalmGroup } from './invariants/calm-group.js';
export { CommitOwnTerm } from './invariants/commit-own-term.js';
export { CommittedLog } from './invariants/committed-log.js';
export { ConvergedGroup } from './invariants/converged-group.js';
export { CreationMarks } from './invariants/creation-marks.js';
export { DamagedCandidate } from './invariants/damaged-candidate.js';
export { DurablePromises } from './invariants/durable-promises.js';
export { DurableQuorum } from './invariants/durable-quorum.js';
export { EndedLeases } from './invariants/ended-leases.js';
export { EqualHashes } from './invariants/equal-hashes.js';
export { ExplicitEnd } from './invariants/explicit-end.js';
export { FreshIds } from './invariants/fresh-ids.js';
export { HonestRenewals } from './invariants/honest-renewals.js';
export { IndexedList } from './invariants/indexed-list.js';
export { IntendedExpiry } from './invariants/intended-expiry.js';
export type { Invariant } from './invariants/invariant.js';
export { InvariantViolation } from './invariants/invariant-violation.js';
export { KeptLog } from './invariants/kept-log.js';
export { KeptPledges } from './invariants/kept-pledges.js';
export { LeaderAfterHeal } from './invariants/leader-after-heal.js';
export { LeaderAppendOnly } from './invariants/leader-append-only.js';
export { LeaderCompleteness } from './invariants/leader-completeness.js';
export { LeaderPerTerm } from './invariants/leader-per-term.js';
export { LearnerRestraint } from './invariants/learner-restraint.js';
export { LogMatching } from './invariants/log-matching.js';
export { LogOrder } from './invariants/log-order.js';
export type { MessageView, PositionView } from './invariants/message-view.js';
export { MonotonicState } from './invariants/monotonic-state.js';
export type { ConfigurationView, DurableView, NodeView } from './invariants/node-view.js';
export { OneChange } from './invariants/one-change.js';
export { OrderedWatch } from './invariants/ordered-watch.js';
export { PreVoteTerm } from './invariants/pre-vote-term.js';
export { PreviousVersions } from './invariants/previous-versions.js';
export { QuorumOverlap } from './invariants/quorum-overlap.js';
export { RaftChecker, type RaftCheckerOptions } from './invariants/raft-checker.js';
export {
  type CommittedEntry,
  type GroupStart,
  type MemberState,
  RaftFacts,
} from './invariants/raft-facts.js';
export {
  livenessInvariants,
  memberInvariants,
  type RaftInvariantMaker,
  raftInvariants,
} from './invariants/raft-invariants.js';
export type { RaftStep, RaftStepOf } from './invariants/raft-step.js';
export { ReadFreshness } from './invariants/read-freshness.js';
export { ReliableWatch } from './invariants/reliable-watch.js';
export { ResumedWatch } from './invariants/resumed-watch.js';
export { RevisionSteps } from './invariants/revision-steps.js';
export { RevokedKeys } from './invariants/revoked-keys.js';
export { SameConfiguration } from './invariants/same-configuration.js';
export { SameHistory } from './invariants/same-history.js';
export { SameMembers } from './invariants/same-members.js';
export { SettledCalls } from './invariants/settled-calls.js';
export { SoundAppends } from './invariants/sound-appends.js';
export { StateMachineSafety } from './invariants/state-machine-safety.js';
export { StoreChecker } from './invariants/store-checker.js';
export {
  type KnownChange,
  type LeaseFacts,
  StoreFacts,
  type StreamFacts,
} from './invariants/store-facts.js';
export {
  type StoreInvariantMaker,
  storeInvariants,
  storeInvariantsFor,
} from './invariants/store-invariants.js';
export type { ChangeView, StoreStep, StoreStepOf } from './invariants/store-step.js';
export { TrueBookmarks } from './invariants/true-bookmarks.js';
export { UnhurriedExpiry } from './invariants/unhurried-expiry.js';
export { UniqueEvents } from './invariants/unique-events.js';
export { UnshortenedLeases } from './invariants/unshortened-leases.js';
export { VersionFields } from './invariants/version-fields.js';
export { VoteOnce } from './invariants/vote-once.js';
export { WatchedRange } from './invariants/watched-range.js';
export { WholeRevisions } from './invariants/whole-revisions.js';
export { MachineService } from './machine/machine-service.js';
export type {
  MachineModel,
  MachineSpec,
  PlainMachine,
  PlainMachineSpec,
  ReplicatedMachineSpec,
} from './machine/machine-spec.js';
export { MachineWorkload } from './machine/machine-workload.js';
export { declaredMarks } from './marks/declared-marks.js';
export type { SectorFill } from './paged-file.js';
export { drawScenario, type SwarmOptions } from './run/draw-scenario.js';
export { type Duration, durationMs } from './run/duration.js';
export { drawFocus, type Focus, type FocusedScenario, focusNames } from './run/focus.js';
export type { Scenario, ScheduledChange, ScheduledFault } from './run/scenario.js';
export { type ScenarioSourceOptions, scenarioSource } from './run/scenario-source.js';
export { type ShrinkOptions, shrink } from './run/shrink.js';
export { simulate } from './run/simulate.js';
export type { SimulateOptions } from './run/simulate-options.js';
export { Simulation, type SimulationReport, type Violation } from './run/simulation.js';
export { SimulationFailure } from './run/simulation-failure.js';
export { type RunScenario, SimulationRun } from './run/simulation-run.js';
export type { Workload, WorkloadContext } from './run/workload.js';
export { SimClock, SimTimers } from './sim-clock.js';
export {
  type DiskLatency,
  type LatencyRange,
  SimDisk,
  type SimDiskOptions,
  type SyncFault,
} from './sim-disk.js';
export { SimEngineDisk, type SimEngineDiskOptions } from './sim-engine-disk.js';
export { type CrashKind, SimMachine, type SimMachineOptions } from './sim-machine.js';
export { SimNetwork, type SimNetworkOptions } from './sim-network.js';
export type { PathEnds, PathOptions } from './sim-path.js';
export { type RandomKey, SimRandom } from './sim-random.js';
export type { Hop } from './sim-scheduler.js';
export { SimScheduler, type SimSchedulerOptions } from './sim-scheduler.js';
export { Simulator, type SimulatorOptions } from './simulator.js';
export type { WriteFault } from './stored-engine.js';
export { engineSuite } from './suites/engine-suite.js';
export { logStoreSuite } from './suites/log-store-suite.js';
export { snapshotStoreSuite } from './suites/snapshot-store-suite.js';
export type { SkippedTest, SuiteOptions, SuiteRig, TestRunner } from './suites/suite.js';
export type { TransportNetwork } from './suites/transport-rig.js';
export { transportSuite } from './suites/transport-suite.js';
export { type DrawnRun, type SimProfile, simProfiles } from './swarm/profiles.js';
export {
  type Regression,
  readRegression,
  regressionText,
  runRegression,
} from './swarm/regression.js';
export { runSeed, type SeedRun } from './swarm/run-seed.js';
export { type SeedSummary, SimTotals } from './swarm/sim-totals.js';
export type { TraceDetail } from './trace-log.js';
export type { CallKind, CallWeights } from './workload/call-weights.js';
export { LockWorkload } from './workload/lock-workload.js';
export { StoreWorkload } from './workload/store-workload.js';
