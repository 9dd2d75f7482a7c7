/**
 * What an address is worth between threads: a port can only be handed to somebody, so one thread holds
 * a port to each member and passes on the ports of those who want to talk.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** What members and switchboard tell each other. */
export type Call =
  | { readonly op: 'listen'; readonly member: number }
  | { readonly op: 'listening'; readonly taken: boolean }
  | { readonly op: 'dial'; readonly member: number; readonly port: MessagePort };

export class Switchboard {
  readonly #lines = new Map<number, MessagePort>();

  /** A line for one member; hand it to its thread with `workerData` and `transferList`. */
  line(): MessagePort {
    const { port1: ours, port2: theirs } = new MessageChannel();
    ours.on('message', (call: Call) => this.#onCall(ours, call));
    ours.on('close', () => {
      for (const [member, line] of this.#lines) if (line === ours) this.#lines.delete(member);
    });
    return theirs;
  }

  #onCall(line: MessagePort, call: Call): void {
    if (call.op === 'listen') {
      const taken = this.#lines.has(call.member);
      if (!taken) this.#lines.set(call.member, line);
      line.postMessage({ op: 'listening', taken } satisfies Call);
    } else if (call.op === 'dial') {
      const target = this.#lines.get(call.member);
      // Whoever dials nobody sees its port close.
      if (target === undefined) call.port.close();
      else target.postMessage(call, [call.port]);
    }
  }
}
