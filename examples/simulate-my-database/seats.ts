/**
 * A replicated table of seats: guests reserve, wait in line for a seat that is taken, and cancel.
 * About sixty lines, and one of them is missing.
 */

/** What a client can ask. */
export interface SeatCommand {
  readonly op: 'reserve' | 'cancel';
  readonly seat: number;
  readonly guest: string;
}

/** Who has the seat now, and how many guests wait for it. */
export interface SeatAnswer {
  readonly holder: string | null;
  readonly waiting: number;
}

const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() };

export class Seats {
  protected holders = new Map<number, string>();
  protected lines = new Map<number, string[]>();

  apply(bytes: Uint8Array): SeatAnswer {
    const command = JSON.parse(utf8.decoder.decode(bytes)) as SeatCommand;
    if (command.op === 'reserve') this.#reserve(command);
    else this.#cancel(command);
    const waiting = this.lines.get(command.seat)?.length ?? 0;
    return { holder: this.holders.get(command.seat) ?? null, waiting };
  }

  snapshot(): Uint8Array {
    return utf8.encoder.encode(JSON.stringify({ holders: [...this.holders] }));
  }

  restore(snapshot: Uint8Array): void {
    const state = JSON.parse(utf8.decoder.decode(snapshot));
    this.holders = new Map(state.holders);
    this.lines = new Map(state.lines);
  }

  #reserve({ seat, guest }: SeatCommand): void {
    const holder = this.holders.get(seat);
    if (holder === undefined) {
      this.holders.set(seat, guest);
      return;
    }
    const line = this.lines.get(seat) ?? [];
    if (holder !== guest && !line.includes(guest)) this.lines.set(seat, [...line, guest]);
  }

  #cancel({ seat, guest }: SeatCommand): void {
    const line = (this.lines.get(seat) ?? []).filter((waiting) => waiting !== guest);
    if (this.holders.get(seat) === guest) {
      const next = line.shift();
      if (next === undefined) this.holders.delete(seat);
      else this.holders.set(seat, next);
    }
    this.lines.set(seat, line);
  }
}
