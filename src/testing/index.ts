/**
 * Deterministic simulation: the environment that tests kontiki, for your own state machine and parts.
 * Covered by semantic versioning like every other entry point.
 */

export { EngineView } from './engine-view.js';
export { Incarnation, type IncarnationName } from './incarnation.js';
export type { SectorFill } from './paged-file.js';
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
export type { TraceDetail } from './trace-log.js';
