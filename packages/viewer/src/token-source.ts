/** Gives the client its token, and asks the page for the next one. */
export class TokenSource {
  #token: string | undefined;
  /** What the client got last. */
  #given: string | undefined;
  readonly #ask: () => Promise<string | undefined>;

  /** @param ask tells the page that the token has ended; it may return another one */
  constructor(ask: () => Promise<string | undefined>) {
    this.#ask = ask;
  }

  get token(): string | undefined {
    return this.#token;
  }

  set token(token: string | undefined) {
    this.#token = token;
  }

  /** For the client: called first, and again after the service refused the last token. */
  readonly next = async ({ refresh }: { readonly refresh: boolean }): Promise<string> => {
    if (this.#token === undefined || (refresh && this.#token === this.#given)) {
      const asked = await this.#ask();
      // The page may have set the property meanwhile.
      if (asked !== undefined) this.#token = asked;
      if (this.#token === undefined || this.#token === this.#given) throw new TokenEnded();
    }
    this.#given = this.#token;
    return this.#token;
  };
}

/** The token has ended, and the page gave no other one. */
class TokenEnded extends Error {}
