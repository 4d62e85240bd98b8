import { ClientError } from '@tallystick/client';
import { useFailureGroup } from './failure-group.tsx';
import { Notice } from './notice.tsx';

/** A failed request: what happened, and what to do about it. */
export function Failure({
  error,
  retry,
}: {
  readonly error: unknown;
  readonly retry?: (() => void) | undefined;
}) {
  const { title, advice, isFinal = false } = describe(error);
  const { isShown, retryAll } = useFailureGroup(`${title} ${advice}`, retry);
  if (!isShown) return null;
  return (
    <Notice tone="bad" title={title}>
      <p>{advice}</p>
      {retryAll !== undefined && !isFinal && (
        <p>
          <button type="button" class="button" onClick={retryAll}>
            Try again
          </button>
        </p>
      )}
    </Notice>
  );
}

/** What to tell a reader about an error. */
function describe(error: unknown): {
  readonly title: string;
  readonly advice: string;
  /** Another attempt would fail in the same way. */
  readonly isFinal?: boolean;
} {
  if (!(error instanceof ClientError)) {
    return { title: 'The page failed', advice: error instanceof Error ? error.message : String(error) };
  }
  const { code, status, problem, message } = error;
  const said = sentence(problem?.detail ?? message);
  if (code === 'UNREACHABLE') {
    return {
      title: 'The service does not answer',
      advice: 'Check your network, and that the service is running. Nothing that you entered is lost.',
    };
  }
  if (code === 'UNAUTHENTICATED') return { title: 'Your session is over', advice: 'Sign in again.' };
  if (code === 'FORBIDDEN') {
    return {
      title: 'Your key does not allow this',
      advice: `${said} Sign in with a key that has the scope, or ask the operator of the service for it.`,
      isFinal: true,
    };
  }
  if (status === 429) {
    return {
      title: 'Too many requests',
      advice: `${said} This page has already waited and tried again.`,
    };
  }
  if (code === 'SERVICE_FAILED')
    return { title: 'The service could not do it', advice: `${said} Try again in a moment.` };
  if (code === 'NOT_FOUND') {
    return { title: problem?.title ?? 'Not found', advice: `${said} Check the address and the tenant.` };
  }
  return { title: problem?.title ?? 'The service refused', advice: said };
}

/** A text of the service as a sentence: the API's details begin with a small letter and have no full stop. */
function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
