/**
 * What is to happen, ordered by (time, order of scheduling): a 4-ary heap over typed arrays whose
 * slots are used again, because a run has millions of events and nothing may be allocated for one.
 */

/**
 * The queue; the fields describe the event that {@link next} took last.
 *
 * @since 0.1.0
 */
export class BareQueue {
  /** Virtual time in microseconds of the present event: now. */
  timeUs = 0;
  kind = 0;
  /** Position of the member it is about; -1 for nobody. */
  at = -1;
  /** The life of the member in which it was scheduled: void in another. */
  life = 0;
  payload: unknown = undefined;
  #size = 0;
  #seq = 0;
  #heap = new Int32Array(1_024);
  #times = new Float64Array(1_024);
  #seqs = new Float64Array(1_024);
  #kinds = new Uint8Array(1_024);
  #ats = new Int8Array(1_024);
  #lives = new Int32Array(1_024);
  readonly #payloads: unknown[] = [];
  readonly #free: number[] = [];
  #slots = 0;

  get size(): number {
    return this.#size;
  }

  /** Time of the next event; `Infinity` when there is none. */
  get nextUs(): number {
    return this.#size === 0 ? Infinity : (this.#times[this.#heap[0] as number] as number);
  }

  /**
   * @param timeUs - at least now
   * @param event - kind, position of the member, its life, and what else the kind needs
   */
  push(timeUs: number, kind: number, at: number, life: number, payload: unknown): void {
    const slot = this.#free.pop() ?? this.#newSlot();
    this.#times[slot] = timeUs;
    this.#seqs[slot] = this.#seq;
    this.#kinds[slot] = kind;
    this.#ats[slot] = at;
    this.#lives[slot] = life;
    this.#payloads[slot] = payload;
    this.#seq += 1;
    const heap = this.#heap;
    let place = this.#size;
    this.#size += 1;
    while (place > 0) {
      const parent = (place - 1) >> 2;
      const above = heap[parent] as number;
      // Of equal times the earlier scheduled stays above.
      if ((this.#times[above] as number) <= timeUs) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = slot;
  }

  /** Takes the next event; false when there is none. */
  next(): boolean {
    if (this.#size === 0) return false;
    const heap = this.#heap;
    const slot = heap[0] as number;
    this.timeUs = this.#times[slot] as number;
    this.kind = this.#kinds[slot] as number;
    this.at = this.#ats[slot] as number;
    this.life = this.#lives[slot] as number;
    this.payload = this.#payloads[slot];
    this.#payloads[slot] = undefined;
    this.#free.push(slot);
    this.#size -= 1;
    if (this.#size > 0) this.#sink(heap[this.#size] as number);
    return true;
  }

  #sink(slot: number): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      const first = 4 * place + 1;
      if (first >= this.#size) break;
      let least = first;
      const end = Math.min(first + 4, this.#size);
      for (let child = first + 1; child < end; child += 1) {
        if (this.#isBefore(heap[child] as number, heap[least] as number)) least = child;
      }
      if (!this.#isBefore(heap[least] as number, slot)) break;
      heap[place] = heap[least] as number;
      place = least;
    }
    heap[place] = slot;
  }

  #isBefore(a: number, b: number): boolean {
    const timeA = this.#times[a] as number;
    const timeB = this.#times[b] as number;
    return (
      timeA < timeB || (timeA === timeB && (this.#seqs[a] as number) < (this.#seqs[b] as number))
    );
  }

  #newSlot(): number {
    const slot = this.#slots;
    this.#slots += 1;
    if (slot === this.#heap.length) this.#grow(2 * slot);
    return slot;
  }

  #grow(size: number): void {
    const into = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#heap = into(new Int32Array(size), this.#heap);
    this.#times = into(new Float64Array(size), this.#times);
    this.#seqs = into(new Float64Array(size), this.#seqs);
    this.#kinds = into(new Uint8Array(size), this.#kinds);
    this.#ats = into(new Int8Array(size), this.#ats);
    this.#lives = into(new Int32Array(size), this.#lives);
  }
}
