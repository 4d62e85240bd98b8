import { protocolAPIsByName, ResponseError } from '@platformatic/kafka';
import { expect, test } from 'vitest';
import { KafkaError, withKafkaReason } from '../../src/kafka-client/kafka-error.ts';

// An operator read "Received response with error while executing API JoinGroup(v7)" at every start of a broker, and could
// not see whether the coordinator was still loading or had refused the member.
test("a refusal has the broker's reason in its message", () => {
  const refusal = new ResponseError(protocolAPIsByName.JoinGroup!, 7, { '/': [30, null] }, {});
  expect(withKafkaReason(refusal)).toMatchObject({
    code: 'GROUP_AUTHORIZATION_FAILED',
    message: expect.stringMatching(/^GROUP_AUTHORIZATION_FAILED: .*JoinGroup/),
    cause: refusal,
  });
  const own = new KafkaError('BROKERS_UNREACHABLE', 'no broker could be reached');
  expect(withKafkaReason(own)).toBe(own);
});
