import { useSettings } from './settings.ts';

/** Lines where the events will be, so that the page of the host does not jump when they arrive. */
export function Skeleton() {
  const { words } = useSettings();
  return (
    <div class="skeleton" role="status">
      <span>{words.loading}</span>
      <i />
      <i />
      <i />
      <i />
      <i />
      <i />
    </div>
  );
}
