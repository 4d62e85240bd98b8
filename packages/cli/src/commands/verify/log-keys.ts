import type { Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { renderTable } from '../../terminal/table.ts';
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
} from '../../trust/known-logs.ts';
import {
  readKnownPlaces,
  seenBefore,
  withoutSeen,
  withSeen,
  writeKnownPlaces,
} from '../../trust/known-places.ts';
import { addExamples } from '../options/examples.ts';
import { registerRotate } from './log-keys-rotate.ts';

/** `tally log-keys`: the verifier keys that this user trusts. */
export const registerLogKeys: Register = (program, run) => {
  const logKeys = program
    .command('log-keys')
    .summary('list and change the verifier keys that you trust')
    .description(
      'Manages the verifier keys that you trust. They are kept in your configuration, one per log, together with the newest ' +
        'checkpoint that was verified.',
    );

  const list = logKeys
    .command('list')
    .summary('list the pinned keys')
    .description('Lists the pinned keys and the kept checkpoints.');
  addExamples(list, 'tally log-keys list');
  run(list, async ({ terminal, processContext }) => {
    const logs = [...readKnownLogs(processContext.env).values()];
    if (terminal.json) await terminal.jsonLine(logs.map(toJson));
    else if (logs.length === 0) terminal.note(`no key is pinned in ${knownLogsPath(processContext.env)}`);
    else {
      const columns = [
        { title: 'ORIGIN', value: ({ origin }: KnownLog) => origin },
        { title: 'PINNED', value: ({ pin }: KnownLog) => pin?.pinnedAt.slice(0, 10) ?? '-' },
        { title: 'BY', value: ({ pin }: KnownLog) => pin?.by.replace('-', ' ') ?? '-' },
        { title: 'CHECKPOINT', value: ({ checkpoint }: KnownLog) => keptText(checkpoint) },
        // Never cut: people compare it with the key that the operator publishes.
        { title: 'KEY', value: ({ pin }: KnownLog) => pin?.key ?? '-' },
      ];
      await terminal.write(renderTable(terminal, columns, logs));
    }
    return undefined;
  });

  const pin = logKeys
    .command('pin')
    .summary("pin a key that you got from the log's operator")
    .description(
      "Pins a verifier key that you got from the log's operator. It replaces a key that was pinned before.",
    )
    .argument('<key>', 'the key: <origin>+<id>+<base64>');
  addExamples(pin, "tally log-keys pin 'audit.example.com/acme/1+0123abcd+AUF…'");
  run(pin, async ({ terminal, processContext }, _, [text]) => {
    const { env, now } = processContext;
    const pinnedAt = new Date(now()).toISOString();
    const entry = pinOf(readVerifierKey(text!), { pinnedAt, by: 'hand' });
    const known = readKnownLogs(env);
    const before = known.get(entry.origin);
    writeKnownLogs(env, withPin(known, entry));
    if (terminal.json) await terminal.jsonLine(toJson(entry));
    const replaced =
      before?.pin !== undefined && before.pin.key !== entry.pin.key ? '; it replaces another key' : '';
    terminal.note(`pinned the key of ${entry.origin}${replaced}`);
    return undefined;
  });

  const trust = logKeys
    .command('trust')
    .summary('accept the log and the key that a place shows now')
    .description(
      "Pins the key that a tenant's log shows now, in place of any other, and accepts a changed name, key or epoch of the log at " +
        'this service or store. Compare the key with the one that the operator publishes.',
    );
  addExamples(trust, 'tally log-keys trust --tenant acme');
  run(trust, async (context) => {
    const { terminal, processContext } = context;
    const tenant = context.requireTenant();
    await using backend = await context.openBackend();
    const offered = await backend.offeredKey(tenant);
    if (offered === undefined) throw new CliError('NOT_FOUND', `${backend.name} shows no key for ${tenant}`);
    const pinnedAt = new Date(processContext.now()).toISOString();
    const { env } = processContext;
    const entry = pinOf(offered, { pinnedAt, by: 'hand', from: backend.place.id });
    const [known, places] = [readKnownLogs(env), readKnownPlaces(env)];
    const before = seenBefore(places, known, backend.place, entry.origin);
    writeKnownLogs(env, withPin(known, entry));
    writeKnownPlaces(env, withSeen(places, backend.place, { origin: entry.origin, seenAt: pinnedAt }));
    if (before !== undefined && before.origin !== entry.origin)
      terminal.note(`accepted ${entry.origin} in place of ${before.origin}`);
    if (terminal.json) await terminal.jsonLine(toJson(entry));
    else await terminal.line(entry.pin.key);
    terminal.note(`pinned the key of ${entry.origin}; compare it with the key that the operator publishes`);
    return undefined;
  });

  registerRotate(logKeys, run);

  const unpin = logKeys
    .command('unpin')
    .summary('forget a log')
    .description('Forgets a log: its key and its kept checkpoint.')
    .argument('<origin>', 'origin of the log, from tally log-keys list');
  addExamples(unpin, 'tally log-keys unpin audit.example.com/acme/1');
  run(unpin, async ({ terminal, processContext }, _, [origin]) => {
    const { env } = processContext;
    const rest = withoutPin(readKnownLogs(env), origin!);
    writeKnownPlaces(env, withoutSeen(readKnownPlaces(env), origin!));
    writeKnownLogs(env, rest);
    terminal.note(`forgot ${origin}`);
    return undefined;
  });
};

function keptText(kept: KeptCheckpoint | undefined): string {
  return kept === undefined ? '-' : `${kept.size} records, ${kept.keptAt.slice(0, 10)}`;
}

function toJson({ origin, pin, checkpoint, rotations }: KnownLog) {
  const { key, pinnedAt, by, from } = pin ?? {};
  return {
    origin,
    ...(pin !== undefined && { key, pinned_at: pinnedAt, by }),
    ...(from !== undefined && { from }),
    ...(rotations !== undefined && { rotations }),
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
