/**
 * The key-value engine on `level`, which also runs in a browser.
 *
 * @module
 */
export { openLevel } from './engine.js';
