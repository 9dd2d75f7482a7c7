/**
 * The key-value engine on LevelDB for Node. Loads a native addon.
 *
 * @module
 */
export { openClassicLevel } from './engine.js';
