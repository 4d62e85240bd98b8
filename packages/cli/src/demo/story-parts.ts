/** The parts of a demo that another story uses too: the reference platform in `examples/soc` shows them on a trail of its own. */
export { type ProcessContext, untilStopped } from '../process-context.ts';
export { Terminal } from '../terminal/terminal.ts';
export { performTyped, sayAttacks } from './attack-lines.ts';
export { attackTrail } from './attack-trail.ts';
export type { Target } from './attacks.ts';
export { KeptAttacks } from './kept-attacks.ts';
export { Narrator } from './narrator.ts';
export { type RunningService, startService } from './running-service.ts';
export { takeEvidence } from './take-evidence.ts';
