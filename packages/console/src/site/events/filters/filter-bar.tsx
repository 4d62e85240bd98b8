import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { usePlace } from '../../address/place.ts';
import { useShortcuts } from '../../elements/browser/keyboard.ts';
import { takeSearchFocus } from '../../elements/browser/search-link.ts';
import { Icon } from '../../elements/signs/icon.tsx';
import { useConsole } from '../../session/console-context.ts';
import { useTenants } from '../../shell/tenant.tsx';
import { conditionsOf, filterFields, parameterOf, searchOf } from '../../trail/event-query.ts';
import { readFilterText, searchForBoth } from './filter-text.ts';

const uuidPattern = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * Searches texts and filters by `field:value`, shows what holds, and removes it. If the text is the id of an event, it opens the event.
 */
export function FilterBar({
  opensEvents = true,
}: {
  /** Whether the page shows an open event. @defaultValue true */
  readonly opensEvents?: boolean;
}) {
  const place = usePlace();
  const { client } = useConsole();
  const { current } = useTenants();
  const input = useRef<HTMLInputElement>(null);
  const [complaint, setComplaint] = useState<string>();
  useShortcuts(useMemo(() => ({ '/': () => input.current?.focus() }), []));
  useEffect(() => {
    const typing = takeSearchFocus();
    if (typing === undefined || input.current === null) return;
    input.current.focus();
    input.current.value = typing.text;
    if (typing.isEntered) input.current.form?.requestSubmit();
  }, []);
  const isEvent = async (id: string) =>
    await client.events.get(id, { tenant_id: current }).then(
      () => true,
      () => false,
    );
  const conditions = conditionsOf(place.parameters);
  const search = searchOf(place.parameters);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const field = input.current!;
    const id = field.value.trim();
    const before = location.href;
    if (opensEvents && uuidPattern.test(id) && (await isEvent(id))) {
      // The reader may have gone elsewhere meanwhile.
      if (location.href !== before) return;
      field.value = '';
      setComplaint(undefined);
      place.change({ event: id });
      return;
    }
    const read = readFilterText(field.value);
    if ('complaint' in read) {
      setComplaint(read.complaint);
      return;
    }
    setComplaint(undefined);
    field.value = '';
    const merged = new Map(conditions.map((each) => [parameterOf(each), [...each.values]]));
    for (const condition of read.conditions) {
      const name = parameterOf(condition);
      merged.set(name, [...new Set([...(merged.get(name) ?? []), ...condition.values])]);
    }
    const q = searchForBoth(search, read.q);
    place.change({ ...Object.fromEntries(merged), q, event: undefined });
  };
  return (
    <div class="filter-bar">
      <search>
        <form onSubmit={submit}>
          <label class="search-field">
            <span class="only-for-screen-readers">Search and filter events</span>
            <Icon name="search" />
            <input
              ref={input}
              class="input"
              type="search"
              list="filter-fields"
              placeholder={'Search: login "no such host" 10.0.0.0/8 event_type:auth.* -actor_type:system'}
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              aria-describedby="filter-complaint"
              aria-invalid={complaint !== undefined}
              onKeyDown={(event) => {
                if (event.key === 'Escape') event.currentTarget.blur();
              }}
            />
            <kbd>/</kbd>
          </label>
          <datalist id="filter-fields">
            {filterFields.map(({ name, kind, description }) => (
              <option key={name} value={kind === 'member' ? `${name}.` : `${name}:`} label={description} />
            ))}
          </datalist>
        </form>
      </search>
      <p class="complaint" id="filter-complaint" role="alert" hidden={complaint === undefined}>
        {complaint}
      </p>
      {(conditions.length > 0 || search !== undefined) && (
        <ul class="conditions" aria-label="Filters">
          {search !== undefined && (
            <li>
              <span class="faint">text has</span> <strong>{search}</strong>
              <a
                class="remove"
                href={place.hrefWith({ q: undefined, event: undefined })}
                aria-label="Remove the search"
              >
                <Icon name="close" />
              </a>
            </li>
          )}
          {conditions.map((condition) => (
            <li key={parameterOf(condition)}>
              <span class="faint">{condition.field}</span> {condition.negated ? 'is not' : 'is'}{' '}
              <strong>{condition.values.join(' or ')}</strong>
              <a
                class="remove"
                href={place.hrefWith({ [parameterOf(condition)]: undefined, event: undefined })}
                aria-label={`Remove the filter ${condition.field}`}
              >
                <Icon name="close" />
              </a>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
