import { usePlace } from '../../address/place.ts';
import { Icon } from '../../elements/signs/icon.tsx';
import { chosenColumns, columns } from './columns.tsx';

/** Chooses the columns of the list, and whether it has the service's bookkeeping. */
export function ColumnMenu() {
  const place = usePlace();
  const chosen = chosenColumns(place.parameters).map(({ name }) => name);
  const toggle = (name: string) => {
    const next = columns
      .map((column) => column.name)
      .filter((each) => (each === name ? !chosen.includes(name) : chosen.includes(each)));
    if (next.length > 0) place.change({ columns: next.join(',') }, { replace: true });
  };
  return (
    <>
      <button
        type="button"
        class="button columns-button"
        title="Choose the columns"
        popoverTarget="columns-menu"
      >
        <Icon name="columns" />
        <span class="tool-name">Columns</span>
      </button>
      <div id="columns-menu" popover="auto" class="menu">
        <fieldset class="choices">
          <legend>Columns of the list</legend>
          {columns.map(({ name, title }) => (
            <label key={name}>
              <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />
              {title}
            </label>
          ))}
        </fieldset>
        <label class="choice-apart">
          <input
            type="checkbox"
            checked={place.parameters.get('reads') === '1'}
            onChange={(event) => place.change({ reads: event.currentTarget.checked ? '1' : undefined })}
          />
          Show who read the trail, and changes of producers' accounts
        </label>
      </div>
    </>
  );
}
