/**
 * Decides from a member's name whether its value is a secret. Names are compared word by word: `apiKey`, `api_key` and
 * `X-API-Key` are the same name, and `secretary`, `keyboard` and `passenger` are not secret.
 */

/** A name that contains one of these words is secret. */
const secretWords = new Set([
  ...[
    'password',
    'passwords',
    'passwd',
    'pwd',
    'passphrase',
    'passcode',
    'secret',
    'secrets',
    'token',
    'tokens',
  ],
  ...[
    'credential',
    'credentials',
    'creds',
    'authorization',
    'cookie',
    'cookies',
    'jwt',
    'bearer',
    'otp',
    'totp',
  ],
  ...[
    'cvv',
    'cvc',
    'cvv2',
    'ssn',
    'apikey',
    'privatekey',
    'accesskey',
    'secretkey',
    'authtoken',
    'sessionid',
  ],
  ...['accesstoken', 'refreshtoken', 'clientsecret', 'connectionstring', 'mnemonic'],
]);

/** A name that contains two of these words next to each other is secret. */
const secretPairs = new Set([
  ...['api key', 'private key', 'access key', 'secret key', 'encryption key', 'signing key', 'master key'],
  ...[
    'account key',
    'shared key',
    'auth key',
    'service key',
    'session id',
    'session key',
    'connection string',
  ],
  ...[
    'security code',
    'card number',
    'pin code',
    'recovery code',
    'backup code',
    'seed phrase',
    'account number',
  ],
]);

/** A name with this last word describes a secret, but is not one: `token_type`, `password_changed_at`. */
const harmlessEndings = new Set([
  ...[
    'type',
    'name',
    'id',
    'ids',
    'arn',
    'count',
    'counts',
    'length',
    'size',
    'at',
    'on',
    'age',
    'budget',
    'used',
  ],
  ...[
    'limit',
    'limits',
    'policy',
    'status',
    'state',
    'version',
    'expiry',
    'expires',
    'expired',
    'ttl',
    'rotated',
  ],
  ...[
    'changed',
    'required',
    'enabled',
    'algorithm',
    'usage',
    'url',
    'uri',
    'endpoint',
    'provider',
    'scope',
    'scopes',
  ],
]);

function isHarmlessEnding(word: string): boolean {
  return harmlessEndings.has(word) || harmlessEndings.has(word.replace(/s$/, ''));
}

/** Under these names, numbers are secrets too. A number under `token`, for example, is a count. */
const secretNumbers = new Set([
  ...['password', 'passcode', 'pwd', 'otp', 'totp', 'cvv', 'cvc', 'cvv2', 'ssn', 'pin code', 'security code'],
  ...['card number', 'account number', 'recovery code', 'backup code'],
]);

/** Secret words that are written together with the word before: `dbpassword`. */
const secretEnding = /(?:password|passwd|passphrase|apikey|privatekey|secretkey|accesskey|token)s?$/;

/** Which values of a member are secrets. */
export type Secrecy = 'none' | 'text' | 'text and numbers';

/** A name's words in lower case: `X-API-Key`, `apiKey` and `API_KEY` all contain `api` and `key`. Full-width letters count too. */
function words(name: string): string[] {
  return name
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

export class SecretNames {
  readonly #additional: ReadonlySet<string>;
  readonly #allowed: ReadonlySet<string>;
  /** Results by name, since the same names occur in every event. Bounded, since names may also come from data. */
  readonly #cache = new Map<string, Secrecy>();

  constructor(additional: readonly string[], allowed: readonly string[]) {
    this.#additional = new Set(additional.map((name) => words(name).join(' ')));
    this.#allowed = new Set(allowed.map((name) => words(name).join(' ')));
  }

  of(name: string): Secrecy {
    let secrecy = this.#cache.get(name);
    if (secrecy === undefined) {
      secrecy = this.#classify(words(name));
      if (this.#cache.size < 2_000) this.#cache.set(name, secrecy);
    }
    return secrecy;
  }

  #classify(list: readonly string[]): Secrecy {
    const whole = list.join(' ');
    if (this.#allowed.has(whole)) return 'none';
    if (this.#additional.has(whole)) return 'text and numbers';
    // `apiKey2` and `apiKeys` are as secret as `apiKey`.
    const bare = list.map((word) => word.replace(/\d+$/, '') || word);
    let secrecy: Secrecy = 'none';
    for (let index = 0; index < bare.length; index++) {
      const word = bare[index]!;
      const pair = `${word} ${bare[index + 1]}`;
      const single = pair.replace(/s$/, '');
      const hit =
        secretWords.has(word) || secretEnding.test(word) ? word : secretPairs.has(single) ? pair : undefined;
      if (hit === undefined) continue;
      // "session id" ends with a harmless word, but is a secret.
      if (isHarmlessEnding(bare.at(-1)!) && !bare.join(' ').endsWith(hit)) continue;
      if (secretNumbers.has(hit === pair ? single : hit)) return 'text and numbers';
      secrecy = 'text';
    }
    return secrecy;
  }
}
