import './proof.css';

/** What a check expected and what it found, one below the other. Nothing where the check has no two values. */
export function ExpectedFound({
  expected,
  found,
}: {
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
}) {
  if (expected === undefined || found === undefined) return null;
  return (
    <dl class="expected-found">
      <dt>Expected</dt>
      <dd>
        <code>{expected}</code>
      </dd>
      <dt>Found</dt>
      <dd>
        <code>{found}</code>
      </dd>
    </dl>
  );
}
