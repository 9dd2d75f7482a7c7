/** A member in a worker thread: it greets the other one and tells the main thread what it heard. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { PortTransport } from './port-transport.js';

const { line, member, peers } = workerData as {
  readonly line: MessagePort;
  readonly member: number;
  readonly peers: readonly number[];
};
const transport = new PortTransport(line, member, peers);
await transport.listen();
transport.start(
  { clusterId: 7, memberId: member, dirId: String(member).padStart(32, '0') },
  {
    onMessage: ({ from, kind }) => parentPort?.postMessage(`${member} heard a ${kind} of ${from}`),
    admit: async () => {},
    onRefused: () => {},
    onLink: (to, up) => {
      if (!up) return;
      transport.send({ kind: 'read-request', from: member, to, term: 1, readId: 1 });
      transport.flush();
    },
  },
);
