/**
 * A table that grows while a long measurement runs.
 */
export class Progress {
  readonly #widths: readonly number[];

  /**
   * Prints the names of the columns.
   *
   * @param columns - at least as wide as what will stand below them, and no narrower than nine
   * @param note - printed above
   */
  constructor(columns: readonly string[], note: string) {
    this.#widths = columns.map((name) => Math.max(name.length, 9));
    console.log(note);
    this.line(columns);
  }

  line(cells: readonly string[]): void {
    console.log(cells.map((cell, at) => cell.padStart(this.#widths[at] ?? 9)).join('  '));
  }
}
