/** Texts that break pages which trust the fields of events. */
export const hostileStrings: readonly string[] = [
  '<script>globalThis.injected = true</script>',
  '<img src=x onerror="globalThis.injected = true">',
  '"><svg onload=globalThis.injected=true>',
  "' onmouseover='globalThis.injected=true",
  'javascript:globalThis.injected=true',
  '{{constructor.constructor("globalThis.injected=true")()}}',
  '</style><style>*{display:none}</style>',
  '\u202eevil\u202c \u2066right to left\u2069',
  '__proto__',
  '\u0007\u001b[31mred\u001b[0m',
  '&lt;b&gt;&amp;',
  '𝕏'.repeat(300),
];
