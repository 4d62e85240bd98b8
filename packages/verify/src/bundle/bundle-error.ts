/** A bundle that can't be read as one: damaged on the way, or of a format that this version does not know. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
  readonly code: 'BUNDLE_TRUNCATED' | 'BUNDLE_DAMAGED' | 'BUNDLE_UNSUPPORTED';

  constructor(code: BundleError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
