import { expect, test } from 'vitest';
import { testEmitter } from '../support/emitter.ts';
import { someEvent } from '../support/events.ts';

test('all metrics agree with the report', async () => {
  let open = false;
  const { emitter, clock } = testEmitter({ bufferSize: 3, service: 'a "b"' }, () => {
    if (!open) throw new Error('down');
    return undefined;
  });
  const value = (name: string) => emitter.metrics.samples().find((sample) => sample.name === name)?.value;
  for (let count = 0; count < 5; count++) emitter.emit(someEvent());
  emitter.emit(someEvent({ tenantId: 'a b' }));
  await clock.advance(16_000);
  expect(value('audit_events_buffered_total')).toBe(3);
  expect(value('audit_events_dropped_total')).toBe(2);
  expect(value('audit_events_written_total')).toBe(0);
  expect(value('audit_batches_failed_total')).toBe(1);
  expect(value('audit_batches_retried_total')).toBe(3);
  expect(value('audit_buffer_size')).toBe(3);
  expect(value('audit_buffer_capacity')).toBe(3);
  expect(value('audit_queue_age_seconds')).toBe(16);
  expect(value('audit_delivery_failing')).toBe(1);
  expect(value('audit_spool_capacity_bytes')).toBe(0);
  open = true;
  const report = await emitter.close();
  expect(report).toMatchObject({ delivered: 3, dropped: 2, rejected: 1 });
  expect(value('audit_events_written_total')).toBe(report.delivered);
  expect(value('audit_events_rejected_total')).toBe(report.rejected);
  expect(value('audit_buffer_size')).toBe(0);
  expect(value('audit_delivery_failing')).toBe(0);
  const text = emitter.metrics.exposition();
  expect(text).toContain(
    'audit_events_dropped_by_reason_total{service="a \\"b\\"",reason="buffer_full"} 2\n',
  );
  expect(text).toContain('# TYPE audit_write_duration_seconds histogram\n');
  expect(text).toContain('audit_write_duration_seconds_bucket{service="a \\"b\\"",le="+Inf"} 5\n');
  for (const line of text.trimEnd().split('\n')) {
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+\{(\w+="(\\.|[^"\\])*",?)+\} [0-9.e+-]+)$/);
  }
});
