/**
 * Says what the demo is doing: one line that is rewritten on a terminal, a line every two seconds
 * elsewhere.
 */
const redrawMs = 200;
const lineMs = 2_000;

export class Progress {
  readonly #startMs = performance.now();
  readonly #isTerminal = process.stdout.isTTY === true;
  readonly #timer: NodeJS.Timeout;
  #step = '';
  #detail: () => string = () => '';

  constructor() {
    this.#timer = setInterval(() => this.#draw(), this.#isTerminal ? redrawMs : lineMs);
    this.#timer.unref();
  }

  /**
   * Starts a step.
   *
   * @param step - what happens now
   * @param detail - figures to show beside it, asked for at every redraw
   */
  start(step: string, detail: () => string = () => ''): void {
    if (this.#isTerminal && this.#step !== '') process.stdout.write('\n');
    this.#step = step;
    this.#detail = detail;
    this.#draw();
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#isTerminal && this.#step !== '') process.stdout.write('\n');
    this.#step = '';
  }

  #draw(): void {
    if (this.#step === '') return;
    const seconds = ((performance.now() - this.#startMs) / 1_000).toFixed(1).padStart(5);
    const line = `${seconds} s  ${this.#step} ${this.#detail()}`.trimEnd();
    process.stdout.write(this.#isTerminal ? `\r\x1b[K${line}` : `${line}\n`);
  }
}
