import { type NewApiKey, type Scope, scopeMeanings, scopes } from '@tallystick/protocol';
import { useState } from 'preact/hooks';

/** What most keys are for. */
const firstChoice: readonly Scope[] = ['events:write'];

/** How long a new key works, in days; 0: until it is revoked. */
const lifetimes = [
  { days: 30, label: '30 days' },
  { days: 90, label: '90 days' },
  { days: 365, label: '1 year' },
  { days: 0, label: 'until it is revoked' },
] as const;

/** What a new key may do. `create` says itself what went wrong, and returns whether there is a key: then the form is empty and closed again. */
export function NewKeyForm({ create }: { readonly create: (key: NewApiKey) => Promise<boolean> }) {
  const [isBusy, setBusy] = useState(false);
  const [chosen, setChosen] = useState<readonly Scope[]>(firstChoice);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setBusy(true);
    const isMade = await create(newKeyOf(new FormData(form), chosen, Date.now()));
    setBusy(false);
    if (!isMade) return;
    form.reset();
    setChosen(firstChoice);
    form.closest('details')?.removeAttribute('open');
  };
  return (
    <details class="panel new-key">
      <summary>Make a new key</summary>
      <form class="body" onSubmit={(event) => void submit(event)}>
        <label class="field">
          Name
          <input class="input" name="name" required maxLength={200} autocomplete="off" />
          <span class="hint">
            People recognise the key by its name. Name the service that uses it, for example.
          </span>
        </label>
        <fieldset class="scopes">
          <legend>The key may</legend>
          {scopes.map((scope) => (
            <label key={scope}>
              <input
                type="checkbox"
                checked={chosen.includes(scope)}
                onChange={() =>
                  setChosen(
                    scopes.filter((each) =>
                      each === scope ? !chosen.includes(each) : chosen.includes(each),
                    ),
                  )
                }
              />
              <span>
                <strong>{scope}</strong> <span class="soft">{scopeMeanings[scope]}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <label class="field">
          Tenants
          <input class="input" name="tenants" autocomplete="off" placeholder="acme, globex" />
          <span class="hint">Separated by commas. Empty: every tenant.</span>
        </label>
        <label class="field">
          Acts as
          <input class="input" name="subject" maxLength={200} autocomplete="off" />
          <span class="hint">The person or agent who uses the key. Needed to decide approvals.</span>
        </label>
        <label class="field">
          Valid for
          <select class="input" name="days">
            {lifetimes.map(({ days, label }) => (
              <option key={days} value={days}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="button main" disabled={isBusy || chosen.length === 0}>
          Make the key
        </button>
      </form>
    </details>
  );
}

/** The request for a key that the fields of the form describe. `now` is in ms. */
export function newKeyOf(data: FormData, chosen: readonly Scope[], now: number): NewApiKey {
  const text = (name: string) => String(data.get(name) ?? '').trim();
  const tenants = text('tenants')
    .split(/[\s,]+/)
    .filter((tenant) => tenant !== '');
  const days = Number(text('days'));
  return {
    name: text('name'),
    scopes: chosen,
    ...(tenants.length > 0 && { tenants }),
    ...(text('subject') !== '' && { subject: text('subject') }),
    ...(days > 0 && { expires_at: new Date(now + days * 86_400_000).toISOString() }),
  };
}
