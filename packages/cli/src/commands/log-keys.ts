import type { Register } from '../context.ts';
import { CliError } from '../errors.ts';
import {
  type KeptCheckpoint,
  type KnownLog,
  knownLogsPath,
  pinOf,
  readKnownLogs,
  readVerifierKey,
  withoutPin,
  withPin,
  writeKnownLogs,
} from '../settings/known-logs.ts';
import { renderTable } from '../terminal/table.ts';

/** `tally log-keys`: which logs' keys this user trusts. */
export const registerLogKeys: Register = (program, run) => {
  const logKeys = program.command('log-keys').description("the logs' keys that you trust");

  run(logKeys.command('list').description('show the pinned keys'), async ({ terminal, surroundings }) => {
    const logs = [...readKnownLogs(surroundings.env).values()];
    if (terminal.json) await terminal.jsonLine(logs.map(toJson));
    else if (logs.length === 0) terminal.note(`no key is pinned in ${knownLogsPath(surroundings.env)}`);
    else {
      const columns = [
        { title: 'ORIGIN', value: ({ origin }: KnownLog) => origin },
        { title: 'PINNED', value: ({ pin }: KnownLog) => pin?.pinnedAt.slice(0, 10) ?? '-' },
        { title: 'BY', value: ({ pin }: KnownLog) => pin?.by.replace('-', ' ') ?? '-' },
        { title: 'CHECKPOINT', value: ({ checkpoint }: KnownLog) => keptText(checkpoint) },
        { title: 'KEY', value: ({ pin }: KnownLog) => pin?.key ?? '-', flexible: true },
      ];
      await terminal.write(renderTable(terminal, columns, logs));
    }
    return undefined;
  });

  const pin = logKeys.command('pin').description("trust a key, got from the log's operator");
  run(pin.argument('<key>', '<origin>+<id>+<base64>'), async ({ terminal, surroundings }, _, [text]) => {
    const { env, now } = surroundings;
    const pinnedAt = new Date(now()).toISOString();
    const entry = pinOf(readVerifierKey(text!), { pinnedAt, by: 'hand' });
    const known = readKnownLogs(env);
    const before = known.get(entry.origin);
    writeKnownLogs(env, withPin(known, entry));
    if (terminal.json) await terminal.jsonLine(toJson(entry));
    const instead =
      before?.pin !== undefined && before.pin.key !== entry.pin.key ? ', instead of the one before' : '';
    terminal.note(`pinned the key of ${entry.origin}${instead}`);
    return undefined;
  });

  const trust = logKeys
    .command('trust')
    .description("pin the key that the tenant's log shows now, whatever was pinned before");
  run(trust, async (context) => {
    const { terminal, surroundings } = context;
    const tenant = context.requireTenant();
    await using backend = await context.openBackend();
    const offered = await backend.offeredKey(tenant);
    if (offered === undefined) throw new CliError('NOT_FOUND', `${backend.name} shows no key for ${tenant}`);
    const pinnedAt = new Date(surroundings.now()).toISOString();
    const entry = pinOf(offered, { pinnedAt, by: 'hand', from: backend.name });
    writeKnownLogs(surroundings.env, withPin(readKnownLogs(surroundings.env), entry));
    if (terminal.json) await terminal.jsonLine(toJson(entry));
    else await terminal.line(entry.pin.key);
    terminal.note(`pinned the key of ${entry.origin}; compare it with what the operator publishes`);
    return undefined;
  });

  const unpin = logKeys.command('unpin').description('forget a key, and the checkpoint kept of its log');
  run(unpin.argument('<origin>', 'as the list shows it'), async ({ terminal, surroundings }, _, [origin]) => {
    const { env } = surroundings;
    writeKnownLogs(env, withoutPin(readKnownLogs(env), origin!));
    terminal.note(`forgot ${origin}`);
    return undefined;
  });
};

function keptText(kept: KeptCheckpoint | undefined): string {
  return kept === undefined ? '-' : `${kept.size} records, ${kept.keptAt.slice(0, 10)}`;
}

function toJson({ origin, pin, checkpoint }: KnownLog) {
  const { key, pinnedAt, by, from } = pin ?? {};
  return {
    origin,
    ...(pin !== undefined && { key, pinned_at: pinnedAt, by }),
    ...(from !== undefined && { from }),
    ...(checkpoint !== undefined && {
      checkpoint: {
        size: checkpoint.size,
        root: checkpoint.root,
        kept_at: checkpoint.keptAt,
        note: checkpoint.note,
      },
    }),
  };
}
