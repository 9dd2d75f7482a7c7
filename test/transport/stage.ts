/** Where the cases of the transport suite play. */
import type { MemberId } from '../../src/raft/types.js';
import type { MemberIdentity, Transport } from '../../src/transport/transport.js';
import { identityOf, Recorder } from './recorder.js';

/** A network that transports are made for. */
export interface TransportWorld {
  /**
   * A transport for `member` that listens and has not started. Whoever asks for the members'
   * addresses is told all that have been made; a second one of a member takes over its address.
   */
  make(member: MemberId): Promise<Transport>;
  /** Tells all transports that `member` is to be found where `actual` is. */
  misdirect(member: MemberId, actual: MemberId): void;
  /** Closes every transport that was made. */
  end(): Promise<void>;
}

type Member = readonly [Transport, Recorder];

export class Stage {
  readonly world: TransportWorld;

  constructor(world: TransportWorld) {
    this.world = world;
  }

  /** Starts members, all of whom know each other. */
  async start(...members: MemberId[]): Promise<Member[]> {
    const transports: Transport[] = [];
    for (const member of members) transports.push(await this.world.make(member));
    return transports.map((transport, at) => {
      const recorder = new Recorder();
      transport.start(identityOf(members[at] as MemberId), recorder);
      return [transport, recorder];
    });
  }

  async startPair() {
    const [[one, ofOne], [two, ofTwo]] = (await this.start(1, 2)) as [Member, Member];
    return { one, ofOne, two, ofTwo };
  }

  /** Member 1, not started, and member 2, which decides on whoever presents itself. */
  async probing(decide: (peer: MemberIdentity) => Promise<void>) {
    const [one, two] = [await this.world.make(1), await this.world.make(2)];
    const ofTwo = new Recorder();
    ofTwo.decide = decide;
    two.start(identityOf(2), ofTwo);
    return { one, ofTwo };
  }
}
