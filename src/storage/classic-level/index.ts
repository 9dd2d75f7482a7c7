/**
 * The key-value engine on LevelDB for Node. Loads a native addon.
 *
 * @module
 */
export { type ClassicLevelOptions, openClassicLevel } from './engine.js';
