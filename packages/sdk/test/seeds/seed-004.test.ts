// The test file of seed 004, one of the specifications that the project began with. Only the imports are changed. The original
// mocked a database module that makes ids. In the SDK the emitter makes them, so that a retry after a time-out keeps the id;
// therefore the mock replaces `uuidv7`.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type AuditEmitter, type AuditEventInput, createAuditEmitter } from '../../src/index.ts';

vi.mock('@tallystick/event', async (original) => ({
  ...(await original<object>()),
  uuidv7: () => 'audit-123',
}));

describe('Audit Event Framework', () => {
  let emitter: AuditEmitter;

  beforeEach(() => {
    vi.clearAllMocks();
    emitter = createAuditEmitter({ bufferSize: 10, flushIntervalMs: 1000 });
  });

  test('emit creates audit event with required fields', async () => {
    const event: AuditEventInput = {
      clientId: 'client-123',
      actionType: 'content.publish',
      actorType: 'agent',
      actorId: 'publisher-agent',
      targetType: 'post',
      targetId: 'post-456',
      outcome: 'success',
    };

    const result = await emitter.emit(event);
    expect(result.id).toBe('audit-123');
  });

  test('emit adds proof when provided', async () => {
    const event: AuditEventInput = {
      clientId: 'client-123',
      actionType: 'content.publish',
      actorType: 'agent',
      actorId: 'publisher-agent',
      targetType: 'post',
      targetId: 'post-456',
      outcome: 'success',
      proof: {
        type: 'api_response',
        data: { postId: 'ig_789' },
      },
    };

    const result = await emitter.emit(event);
    expect(result).toBeDefined();
  });

  test('emit adds correlation from current span', async () => {
    const event: AuditEventInput = {
      clientId: 'client-123',
      actionType: 'test.event',
      actorType: 'system',
      actorId: 'test',
      targetType: 'test',
      targetId: 'test-1',
      outcome: 'success',
    };

    await emitter.emit(event);
    // Correlation ID should be added from trace context
  });

  test('builder pattern creates valid event', async () => {
    const result = await emitter
      .forClient('client-123')
      .action('content.create')
      .actor('agent', 'copy-agent')
      .target('asset', 'asset-789')
      .succeeded()
      .withApiProof({ assetId: 'asset-789' })
      .emit();

    expect(result).toBeDefined();
  });

  test('builder captures failure with error details', async () => {
    const result = await emitter
      .forClient('client-123')
      .action('content.publish')
      .actor('agent', 'publisher-agent')
      .target('post', 'post-123')
      .failed('PLATFORM_ERROR', 'Rate limit exceeded')
      .emit();

    expect(result).toBeDefined();
  });
});
