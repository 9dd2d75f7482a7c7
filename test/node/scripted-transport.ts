// A transport whose peers are the test itself.
import type { WireMessage } from '../../src/codec/wire-message.js';
import type {
  MemberIdentity,
  Transport,
  TransportHandlers,
} from '../../src/transport/transport.js';

export class ScriptedTransport implements Transport {
  readonly sent: WireMessage[] = [];
  closed = 0;
  closeFailure: unknown;
  #handlers: TransportHandlers | undefined;

  /** Once started. */
  get handlers(): TransportHandlers {
    if (this.#handlers === undefined) throw new Error('not started');
    return this.#handlers;
  }

  get isStarted(): boolean {
    return this.#handlers !== undefined;
  }

  async listen() {}

  async probe() {}

  updatePeers(): void {}

  start(_self: MemberIdentity, handlers: TransportHandlers): void {
    this.#handlers = handlers;
  }

  send(message: WireMessage): void {
    this.sent.push(message);
  }

  flush(): void {}

  async close(): Promise<void> {
    this.closed += 1;
    if (this.closeFailure !== undefined) throw this.closeFailure;
  }

  /** What was sent of one kind, without taking it away. */
  of<K extends WireMessage['kind']>(kind: K) {
    return this.sent.filter((message): message is WireMessage & { kind: K } => {
      return message.kind === kind;
    });
  }
}
