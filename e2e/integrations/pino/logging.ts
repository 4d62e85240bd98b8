/** An application that logs with pino, and ends in the way that its first argument says. */
import { auditLine } from '@tallystick/sdk/pino';
import pino from 'pino';

const [, , ending, form] = process.argv;
const audit = { target: '@tallystick/sdk/pino', options: { service: 'shop', tenantId: 'acme' } };
const lines = { target: 'pino/file', options: { destination: 1 } };
const forms = {
  alone: audit,
  targets: { targets: [audit, lines] },
  pipeline: { pipeline: [{ ...audit, options: { ...audit.options, pipeline: true } }, lines] },
};
const transport = forms[form as keyof typeof forms];
const log = pino({ transport });

for (let order = 1; order <= 300; order++) {
  log.info({ order }, 'an ordinary line');
  log.info(
    auditLine({
      eventType: `order.${ending}`,
      actorType: 'user',
      actorId: 'maria',
      targetId: `ü${order}`,
      context: { password: 'hunter2' },
    }),
    'an audited line',
  );
}
log.info({ audit: true, auditEvent: true }, 'a line with another meaning');
log.info({ audit: { eventType: 'Not a type' } }, 'an event that is a mistake of the program');

if (ending === 'exited') process.exit(0);
if (ending === 'flushed') log.flush(() => process.kill(process.pid, 'SIGKILL'));
