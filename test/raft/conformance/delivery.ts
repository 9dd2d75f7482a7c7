/** Handing over, losing, repeating and shuffling the messages in flight. */
import { type Flight, isLocalFlight, typeOf } from './flight.js';
import type { ScenarioEnvironment } from './scenario-environment.js';

export interface Recipient {
  readonly label: number;
  readonly drop: boolean;
}

/**
 * Hands each recipient, in turn, what waits for it at that moment; or loses it, except what never
 * leaves the member.
 *
 * @param type - only messages of this type
 * @returns how many there were
 */
export function deliver(
  environment: ScenarioEnvironment,
  recipients: readonly Recipient[],
  type?: string,
): number {
  const { output, messageText } = environment;
  let count = 0;
  for (const { label, drop } of recipients) {
    const taken = take(
      environment,
      (flight) =>
        environment.receiver(flight) === label &&
        !(drop && isLocalFlight(flight)) &&
        (type === undefined || typeOf(flight) === type),
    );
    count += taken.length;
    for (const flight of taken) {
      output.add(`${drop ? 'dropped: ' : ''}${messageText.flight(flight)}`);
      if (!drop) environment.step(flight.message);
    }
  }
  return count;
}

/** Takes messages from the queue; the others keep their order. */
export function take(
  environment: ScenarioEnvironment,
  isTaken: (flight: Flight) => boolean,
): Flight[] {
  const taken: Flight[] = [];
  const left: Flight[] = [];
  for (const flight of environment.inFlight) (isTaken(flight) ? taken : left).push(flight);
  environment.inFlight = left;
  return taken;
}
