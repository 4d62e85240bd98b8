import type { RunningService, Terminal } from 'tallystick/demo/story-parts';
import { loseBatch } from './lost-batch.ts';
import type { Told } from './story.ts';

/** Commands that answer questions about the demo from its trail. Each is preceded by the question. */
function commandsAbout(
  { approved, quarantined }: Told,
  lostBatch: boolean,
): readonly (readonly [question: string, command: string])[] {
  return [
    ['Which tenants have records?', 'tenants'],
    ...(approved === undefined
      ? []
      : [
          [
            'What did models say, and at what cost? Who approved? What was done?',
            `timeline --tenant ${approved.tenantId} ${approved.investigationId}`,
          ] as const,
        ]),
    ...(quarantined === undefined
      ? []
      : [
          [
            'What was quarantined, in one investigation and in all?',
            `timeline --tenant ${quarantined.tenantId} ${quarantined.investigationId}`,
          ] as const,
          ['', `events --tenant ${quarantined.tenantId} --type injection.quarantined`] as const,
        ]),
    ['Who approved what?', 'approvals list --tenant acme --state all'],
    ['Is anything changed?', 'verify --tenant acme'],
    ...(lostBatch ? [['Is anything missing?', 'producers --tenant acme'] as const] : []),
  ];
}

/** Says where to look: the directory or the address, a way into the console, and the commands. */
export async function whereToLook(
  terminal: Terminal,
  told: Told,
  {
    directory,
    running,
  }: {
    readonly directory: string;
    /** With `client`, a batch is lost on its way to the service first, so that there is something missing to find. */
    readonly running:
      | (Pick<RunningService, 'url' | 'key' | 'signInLink'> & { readonly client?: RunningService['client'] })
      | undefined;
  },
): Promise<void> {
  if (running?.client !== undefined) await loseBatch(terminal, { ...running, client: running.client });
  const options = running === undefined ? `--data ${quoted(directory)} ` : '';
  const commands = commandsAbout(told, running !== undefined).map(
    ([question, command]) => [question, `npx tally ${options}${command}`] as const,
  );
  const link = running?.signInLink();
  if (terminal.json) {
    return await terminal.jsonLine({
      step: running === undefined ? 'look' : 'kept',
      directory,
      ...(running !== undefined && { url: running.url, key: running.key }),
      ...(link !== undefined && { sign_in_link: link }),
      investigations: [told.approved, told.quarantined].flatMap((place) => place?.investigationId ?? []),
      commands: commands.map(([, command]) => command),
    });
  }
  await terminal.line();
  if (running === undefined) {
    await terminal.line(`  The trail stays in ${directory}. To look at it in a browser:`);
    await terminal.line(`    npx tally ${options}dev`);
    await terminal.line('  In the terminal:');
  } else {
    await terminal.line(`  The audit service runs on ${running.url} until you press Ctrl-C.`);
    if (link !== undefined) {
      await terminal.line(
        '  Look at the trail in a browser. This link signs you in one time, within ten minutes:',
      );
      await terminal.line(`    ${terminal.style('bold', link)}`);
      await terminal.line('  Afterwards, sign in with the key.');
    }
    await terminal.line('  In another terminal:');
    await terminal.line(`    export TALLYSTICK_URL=${running.url} TALLYSTICK_API_KEY=${running.key}`);
  }
  for (const [question, command] of commands) {
    if (question !== '') await terminal.line(`  ${terminal.style('dim', `# ${question}`)}`);
    await terminal.line(`    ${command}`);
  }
}

/** A path that a shell reads as one word. */
export function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
