/** What counts as an answer that is still to come. */

/**
 * By its shape, not its class: async functions answer the language's own promises, and a host may have put
 * another class in place of the global one.
 *
 * @since 0.1.0
 */
export function isPromise<T extends object>(answer: T | Promise<T>): answer is Promise<T> {
  return 'then' in answer;
}
