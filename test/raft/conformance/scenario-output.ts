/** What a command shows: lines, indented where one command runs another, or nothing at all. */
export const logLevels = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'NONE'] as const;

export type LogLevel = (typeof logLevels)[number];

export class ScenarioOutput {
  /** Log lines are the product's own affair and never shown; `NONE` silences everything else too. */
  level: LogLevel = 'DEBUG';
  #lines: string[] = [];
  #indent = '';

  /** Begins with the next command. */
  clear(): void {
    this.#lines = [];
  }

  /** One line or several. */
  add(text: string): void {
    if (this.level === 'NONE') return;
    for (const line of text.split('\n')) this.#lines.push(`${this.#indent}${line}`);
  }

  /** A section with its body. */
  section(head: string, body: () => void): void {
    this.add(`> ${head}`);
    const outer = this.#indent;
    this.#indent = `${outer}  `;
    try {
      body();
    } finally {
      this.#indent = outer;
    }
  }

  withLevel(level: LogLevel, body: () => void): void {
    const outer = this.level;
    this.level = level;
    try {
      body();
    } finally {
      this.level = outer;
    }
  }

  /** Everything since `clear`. */
  get text(): string {
    return this.#lines.join('\n');
  }
}
