import type { EventView } from '@tallystick/protocol';
import { type Change, changesIn, differencesOf } from './changes.ts';

/** Members in which events tell about changes. */
const places = ['event_data', 'outcome', 'context', 'decision', 'metadata'] as const;

/** What an event changed: the values before and after. */
export function ChangesSection({ event }: { readonly event: EventView }) {
  const changes = places.flatMap((name) => changesIn(event[name], [name]));
  if (changes.length === 0) return null;
  return (
    <section class="record-section">
      <h3>Changes</h3>
      {changes.map((change) => (
        <ChangeTable key={change.at} change={change} />
      ))}
    </section>
  );
}

function ChangeTable({ change }: { readonly change: Change }) {
  const { differences, same } = differencesOf(change);
  return (
    <div class="change">
      <table class="table">
        <caption class="faint">{change.at}</caption>
        <thead>
          <tr>
            <th scope="col">Member</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {differences.map(({ path, before, after }) => (
            <tr key={path}>
              <th scope="row">{path === '' ? 'value' : path}</th>
              <td>{before === undefined ? <span class="faint">absent</span> : <del>{before}</del>}</td>
              <td>{after === undefined ? <span class="faint">absent</span> : <ins>{after}</ins>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {same > 0 && (
        <p class="faint">
          {same} {same === 1 ? 'member is' : 'members are'} the same.
        </p>
      )}
    </div>
  );
}
