import { usePlace } from '../address/place.ts';
import { subjectFields } from '../trail/timeline-subject.ts';
import { RecentTimelines } from './recent-timelines.tsx';

/** Chooses a timeline: by its id, or one of those that the newest events belong to. */
export function TimelineStart({ tenant }: { readonly tenant: string }) {
  const place = usePlace();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    place.go(place.href('timeline', { [String(data.get('field'))]: String(data.get('id')).trim() }));
  };
  return (
    <div class="stack">
      <form class="timeline-form" onSubmit={submit}>
        <label class="field">
          Timeline of
          <select class="input" name="field">
            {subjectFields.map(({ field, title }) => (
              <option key={field} value={field}>
                {title.toLowerCase()}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          Id
          <input
            class="input code"
            name="id"
            required
            maxLength={512}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
        <button type="submit" class="button main">
          Show
        </button>
      </form>
      <RecentTimelines tenant={tenant} />
    </div>
  );
}
