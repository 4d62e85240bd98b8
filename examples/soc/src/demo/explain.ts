import type { Narrator, ProcessContext, RunningService, Terminal } from 'tallystick/demo/story-parts';
import type { Place } from './highlights.ts';
import { runTally } from './tally-command.ts';

export interface StoryParts {
  readonly terminal: Terminal;
  readonly narrator: Narrator;
  readonly processContext: ProcessContext;
}

/** Explains investigations with `tally timeline`, which reads nothing but the trail. */
export async function explain(
  parts: StoryParts,
  running: RunningService,
  {
    approved,
    quarantined,
  }: { readonly approved: Place | undefined; readonly quarantined: Place | undefined },
): Promise<void> {
  const { narrator } = parts;
  if (approved !== undefined) {
    await narrator.chapter('Explain one investigation from the trail alone');
    await timeline(parts, running, approved, []);
  }
  if (quarantined !== undefined) {
    await narrator.chapter('And one whose alert gives orders to the model');
    await timeline(parts, running, quarantined, ['--summary']);
  }
}

async function timeline(
  { terminal, processContext }: StoryParts,
  running: RunningService,
  { tenantId, investigationId }: Place,
  options: readonly string[],
): Promise<void> {
  const command = ['timeline', investigationId, '--tenant', tenantId, ...options];
  if (terminal.json) {
    const lines = await runTally(processContext, running, [...command, '--json'], { capture: true });
    const { summary } = JSON.parse(lines.trimEnd().split('\n').at(-1)!) as { readonly summary: object };
    return await terminal.jsonLine({ step: 'timeline', ok: true, ...summary });
  }
  await terminal.line(`     ${terminal.style('dim', `$ tally ${command.join(' ')}`)}`);
  await terminal.line();
  await runTally(processContext, running, command);
}
