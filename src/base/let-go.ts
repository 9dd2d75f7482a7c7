/** Closing what may not close. */

/**
 * Closes one of several parts that all have to be let go of: whatever it throws, at once or later, keeps
 * nobody from closing the next one.
 *
 * @param close - of the part, which may be somebody else's and answer no promise
 * @returns never rejects
 * @since 0.1.0
 */
export async function letGo(close: () => unknown): Promise<void> {
  try {
    await close();
  } catch {
    // A part that failed has said so already, or is asked again by who wants to know.
  }
}
