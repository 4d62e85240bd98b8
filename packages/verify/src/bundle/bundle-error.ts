/** The file cannot be read as a bundle: it was damaged, or its format is not known to this version. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
  readonly code: 'BUNDLE_TRUNCATED' | 'BUNDLE_DAMAGED' | 'BUNDLE_UNSUPPORTED';

  constructor(code: BundleError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function damaged(what: string, cause?: unknown): BundleError {
  return new BundleError('BUNDLE_DAMAGED', what, cause === undefined ? undefined : { cause });
}
