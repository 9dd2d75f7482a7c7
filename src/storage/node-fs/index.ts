/**
 * `kontiki/storage/node-fs`: Node's files behind the `FileSystem` seam.
 *
 * @module
 */
export { nodeFileSystem } from './file-system.js';
export { checkInPlace, lockHolder } from './lock.js';
