/** The product's mark: a tally of five. */
export function Brand() {
  return (
    <span class="brand">
      <svg
        viewBox="0 0 24 24"
        width="24"
        height="24"
        fill="none"
        stroke="currentColor"
        stroke-width="2"
        stroke-linecap="round"
        aria-hidden="true"
      >
        <path d="M5 4v16M10 4v16M15 4v16M20 4v16M2.5 16 21.5 8" />
      </svg>
      Tallystick
    </span>
  );
}
