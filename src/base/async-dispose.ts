/**
 * The name of the method that `await using` calls. A context of `node:vm`, in which test frameworks run
 * tests, has none of Node 20's own: what compilers make of `await using` then asks for this one.
 *
 * @since 0.1.0
 */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');
