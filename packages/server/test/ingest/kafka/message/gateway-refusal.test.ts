import { describe, expect, test, vi } from 'vitest';
import { Admission } from '../../../../src/ingest/admit/admission.ts';
import { prepareMessage } from '../../../../src/ingest/kafka/message/prepare-message.ts';
import { anEvent } from '../../../events.ts';

const admission = new Admission({ now: Date.now, stopped: new Set<string>() });
const topic = { clusterId: 'cluster', name: 'audit.gateway', id: 'id', partitions: 1 };
const valid = anEvent('acme');
const reasons = [{ code: 'TIMESTAMP_AHEAD', pointer: '/timestamp', message: 'must not lie ahead' }];

function read(headers: Record<string, string>, fromGateway = true) {
  const message = {
    offset: 7,
    leaderEpoch: 0,
    key: Buffer.from('acme'),
    value: Buffer.from(JSON.stringify(valid)),
    headers: Object.entries(headers).map(([name, value]): [Buffer, Buffer] => [
      Buffer.from(name),
      Buffer.from(value),
    ]),
  };
  const [item] = prepareMessage(message, { admission, topic, partition: 0, fromGateway }).items;
  return 'deadLetter' in item! ? item.deadLetter : undefined;
}

const gateway = { 'tallystick-principal': 'key:1', 'tallystick-tenants': '["acme"]' };

// The gateway has answered `rejected`. If the ingest admitted the event a minute later, the chain would have an event that its
// submitter believes to be refused.
describe('an event that the gateway has refused stays refused, although it would be admitted now', () => {
  test('for the reason in the answer', () => {
    expect(read(gateway)).toBeUndefined();
    const headers = { ...gateway, 'tallystick-refusal': JSON.stringify(reasons) };
    expect(read(headers)).toMatchObject({ violations: reasons, tenantId: 'acme', principal: 'key:1' });
  });

  test.each(['', '{', '[]', '[{"code":1}]'])('also if the reason can not be read: %j', (text) => {
    expect(read({ ...gateway, 'tallystick-refusal': text })).toMatchObject({
      violations: [expect.objectContaining({ code: 'REFUSED' })],
    });
  });

  test('but no other client can refuse events with this header', () => {
    expect(read({ 'tallystick-refusal': JSON.stringify(reasons) }, false)).toBeUndefined();
    expect(read({ ...gateway, 'tallystick-refusal': JSON.stringify(reasons) }, false)).toBeUndefined();
  });
});

// A message of a topic may have megabytes of headers, and a list of a million levels would fill the heap.
describe('a header that is too long or nested too deep counts as malformed, and is not parsed', () => {
  test.each(['['.repeat(1_000_000), '['.repeat(1_000), `[${'{},'.repeat(20_000)}{}]`])('%#', (text) => {
    const parse = vi.spyOn(JSON, 'parse');
    const refused = read({ ...gateway, 'tallystick-refusal': text });
    const forbidden = read({ ...gateway, 'tallystick-tenants': text });
    const texts = parse.mock.calls.map(([argument]) => argument);
    parse.mockRestore();
    expect(texts).not.toContain(text);
    expect(refused).toMatchObject({ violations: [expect.objectContaining({ code: 'REFUSED' })] });
    expect(forbidden).toMatchObject({ violations: [expect.objectContaining({ code: 'TENANT_FORBIDDEN' })] });
  });
});
