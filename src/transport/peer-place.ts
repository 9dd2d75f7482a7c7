/**
 * Where a peer is looked for: where the list of members says, and where it says itself. The list can be
 * older: of a member that was away while the leader moved, which can get the newer list from nobody but
 * that leader, and cannot answer it where it was.
 */

/** @since 0.1.0 */
export class PeerPlace {
  /** By the list. */
  readonly listed: string;
  #said: string | undefined;
  #isWhereSaid = false;

  constructor(listed: string) {
    this.listed = listed;
  }

  /** Where to look next. */
  get address(): string {
    return this.#isWhereSaid && this.#said !== undefined ? this.#said : this.listed;
  }

  /** It says where it is. @returns whether that is news */
  says(address: string): boolean {
    if (address === this.#said) return false;
    this.#said = address === this.listed ? undefined : address;
    this.#isWhereSaid = false;
    return this.#said !== undefined;
  }

  /** It was not there: the other place is next. */
  turn(): void {
    this.#isWhereSaid = !this.#isWhereSaid;
  }
}
