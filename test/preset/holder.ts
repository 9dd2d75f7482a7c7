// A process of its own that holds a store open until it is killed. It says so on its standard output.
import { openStore } from '../../src/preset/open-store.js';

const [dir = ''] = process.argv.slice(2);
const store = await openStore({ dir });
await store.put('by', 'the other process');
process.stdout.write('open\n');
