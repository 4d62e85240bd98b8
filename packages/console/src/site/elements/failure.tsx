import { ClientError } from '@tallystick/client';
import { Notice } from './notice.tsx';

/** A failed request: what happened, and what to do about it. */
export function Failure({
  error,
  retry,
}: {
  readonly error: unknown;
  readonly retry?: (() => void) | undefined;
}) {
  const { title, advice } = describe(error);
  return (
    <Notice tone="bad" title={title}>
      <p>{advice}</p>
      {retry !== undefined && (
        <p>
          <button type="button" class="button" onClick={retry}>
            Try again
          </button>
        </p>
      )}
    </Notice>
  );
}

/** What to tell a reader about an error. */
function describe(error: unknown): { readonly title: string; readonly advice: string } {
  if (!(error instanceof ClientError)) {
    return { title: 'The page failed', advice: error instanceof Error ? error.message : String(error) };
  }
  const { code, problem, message } = error;
  const said = problem?.detail ?? message;
  if (code === 'UNREACHABLE') {
    return {
      title: 'The service does not answer',
      advice: 'Check the network, and that the service runs. Nothing that you entered is lost.',
    };
  }
  if (code === 'UNAUTHENTICATED') return { title: 'Your session is over', advice: 'Sign in again.' };
  if (code === 'FORBIDDEN') {
    return {
      title: 'Your key does not allow this',
      advice: `${said}. Sign in with a key that has the scope.`,
    };
  }
  if (code === 'SERVICE_FAILED')
    return { title: 'The service could not do it', advice: `${said}. Try again in a moment.` };
  return { title: problem?.title ?? 'The service refused', advice: said };
}
