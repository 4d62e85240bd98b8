import { useMemo, useState } from 'preact/hooks';
import { parametersOf, usePlace } from '../../address/place.ts';
import { Icon } from '../../elements/signs/icon.tsx';
import { readyViews } from './ready-views.ts';
import { SavedViews } from './saved-views.ts';

/** Opens views that the reader has saved in this browser, and saves the present one. */
export function ViewsMenu() {
  const place = usePlace();
  const saved = useMemo(() => new SavedViews(localStorage), []);
  const [views, setViews] = useState(() => saved.list());
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setViews(saved.save(String(new FormData(form).get('name')), place.parameters));
    form.reset();
  };
  return (
    <>
      <button
        type="button"
        class="button views-button"
        title="Saved and frequent views"
        popoverTarget="views-menu"
      >
        <Icon name="bookmark" />
        <span class="tool-name">Views</span>
      </button>
      <div id="views-menu" popover="auto" class="menu">
        <ul class="views" aria-label="Questions that are asked often">
          {readyViews.map(({ name, parameters }) => (
            <li key={name}>
              <a href={place.href('events', parameters)} onClick={closeMenu}>
                {name}
              </a>
            </li>
          ))}
        </ul>
        {views.length === 0 ? (
          <p class="soft">No view is saved yet.</p>
        ) : (
          <ul class="views">
            {views.map(({ name, query }) => (
              <li key={name}>
                <a href={place.href('events', parametersOf(query))} onClick={closeMenu}>
                  {name}
                </a>
                <button
                  type="button"
                  class="button square plain"
                  aria-label={`Forget the view ${name}`}
                  onClick={() => setViews(saved.remove(name))}
                >
                  <Icon name="close" />
                </button>
              </li>
            ))}
          </ul>
        )}
        <form class="view-form" onSubmit={submit}>
          <label class="field">
            Save this view as
            <input class="input" name="name" required maxLength={60} autocomplete="off" />
          </label>
          <button type="submit" class="button main">
            Save
          </button>
        </form>
        <p class="hint faint">
          Saved views stay in this browser. To share a view, copy the address of the page: it has the filters,
          the search, the time range and the columns.
        </p>
      </div>
    </>
  );
}

function closeMenu(): void {
  document.querySelector<HTMLElement>('#views-menu')?.hidePopover();
}
