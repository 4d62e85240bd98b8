/** Lines where a list will be, so that the page does not jump when it arrives. */
export function LoadingRows({ label, rows = 6 }: { readonly label: string; readonly rows?: number }) {
  return (
    <div class="loading-rows" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, at) => (
        <div class="placeholder" key={at} />
      ))}
    </div>
  );
}
