// Runs in an empty project, where the packed SDK is installed, under every runtime. As a program of its own it is
// plain JavaScript; `load` is `import` or `require`.
export async function emitEverywhere(load, url, directory) {
  const { createAuditEmitter, AuditValidationError } = await load('@tallystick/sdk');
  const { httpTransport } = await load('@tallystick/sdk/http');
  const { memoryTransport } = await load('@tallystick/sdk/memory');
  const { assertEmitted, createTestAudit } = await load('@tallystick/sdk/testing');
  const errors = [];
  const onError = ({ code, message }) => errors.push(`${code}: ${message}`);
  const event = {
    tenantId: 'acme',
    eventType: 'a.b',
    actorType: 'user',
    actorId: 'u',
    context: { note: 'Grüße' },
  };

  const audit = createTestAudit();
  audit.emitter.emit(event);
  assertEmitted(audit, { context: { note: 'Grüße' } });
  let refusal;
  try {
    audit.emitter.emit({});
  } catch (error) {
    refusal = error instanceof AuditValidationError && error.code;
  }

  const inMemory = createAuditEmitter({ service: 's', transport: memoryTransport(), onError });
  inMemory.emit(event);
  const memory = await inMemory.close();

  const overHttp = createAuditEmitter({
    service: 's',
    transport: httpTransport({ url, apiKey: 'k' }),
    onError,
  });
  const { receipt } = await overHttp.record(event);
  for (let count = 0; count < 500; count++) overHttp.emit(event);
  const http = await overHttp.close();

  // What one emitter leaves on disk, the next one delivers.
  let away = true;
  const transport = memoryTransport({
    intercept: () => {
      if (away) throw new Error('away');
    },
  });
  const spool = { directory, mode: 'always', fsyncIntervalMs: 1 };
  const config = { service: 's', transport, spool, maxRetries: 0, probeIntervalMs: 50 };
  const before = createAuditEmitter(config);
  before.emit(event);
  const left = await before.close({ deadlineMs: 2_000 });
  away = false;
  const after = createAuditEmitter(config);
  await after.flush();
  const spooled = { left: left.spooled, delivered: (await after.close()).delivered };

  return { refusal, memory, receipt: receipt.audit_id.length, http, spooled, errors };
}
