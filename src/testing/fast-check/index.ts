/**
 * `kontiki/testing/fast-check`: simulated clusters in properties of fast-check, which has to be
 * installed beside kontiki.
 *
 * @module
 */
export {
  type ClusterCommands,
  type FcCommandsOptions,
  fcCommands,
  fcMachineCommands,
} from './fc-commands.js';
export { type FcScenarioOptions, fcScenario } from './fc-scenario.js';
