/** Runs one service of the platform, until SIGTERM: `main.ts SERVICE --platform FILE`. See `README.md`. */
import { runProcess } from './run-process.ts';

await runProcess(process.argv.slice(2));
