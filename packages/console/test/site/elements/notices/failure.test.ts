import { ClientError } from '@tallystick/client';
import { h } from 'preact';
import { render } from 'preact-render-to-string';
import { expect, it } from 'vitest';
import { Failure } from '../../../../src/site/elements/notices/failure.tsx';

// The client calls 429 a failure of the service, and the page said "The service could not do it".
it('says of 429 that there were too many requests', () => {
  const error = new ClientError('SERVICE_FAILED', 'the service answered 429', { status: 429 });
  expect(render(h(Failure, { error }))).toContain('Too many requests');
});
