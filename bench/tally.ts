/** The command line from its sources, in a process of its own: the program of the package exists only after a build. */
import { main } from '../packages/cli/src/main.ts';

await main();
