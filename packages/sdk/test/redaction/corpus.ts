// Made up, and put together here, so that no scanner takes this file for a leak.
const join = (...parts: string[]) => parts.join('');
const alnum = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8';

/** Secrets that are recognised wherever they stand. */
export const secrets: Record<string, string> = {
  'AWS access key id': join('AKIA', 'IOSFODNN7EXAMPLE'),
  'AWS temporary key id': join('ASIA', 'Y34FZKBOKMUTVV7A'),
  JWT: join('eyJ', 'hbGciOiJIUzI1NiJ9.eyJ', 'zdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9'),
  'JWT without payload signature': join('eyJ', 'hbGciOiJub25lIn0.eyJ', 'zdWIiOiIxMjM0In0.'),
  'private key': join('-----BEGIN ', 'RSA PRIVATE KEY-----\nMIIEow\nabc/+=\n-----END RSA PRIVATE KEY-----'),
  'private key, cut off': join('-----BEGIN ', 'PRIVATE KEY-----\nMIIEvQIBADANBgkq'),
  'OpenSSH key': join(
    '-----BEGIN ',
    'OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----',
  ),
  'GitHub token': join('gh', 'p_', alnum),
  'GitHub fine-grained token': join('github', '_pat_', alnum, alnum),
  'GitLab token': join('gl', 'pat-', alnum.slice(0, 20)),
  'Slack token': join('xo', 'xb-', '123456789012-abcdefABCDEF'),
  'Google API key': join('AI', 'za', alnum.slice(0, 35)),
  'Google OAuth token': join('ya', '29.', alnum),
  'Stripe key': join('sk', '_live_', alnum.slice(0, 24)),
  'OpenAI key': join('sk', '-proj-', alnum),
  'Anthropic key': join('sk', '-ant-api03-', alnum),
  'npm token': join('npm', '_', alnum),
  'SendGrid key': join('SG', '.', alnum.slice(0, 22), '.', alnum),
  'Vault token': join('hv', 's.', alnum),
  'Visa card': '4111 1111 1111 1111',
  'Mastercard without spaces': '5555555555554444',
  'Amex with hyphens': '3782-822463-10005',
};

/** In their frames; the first of each pair must go, the rest may stay. */
export const framed: [secret: string, text: string][] = [
  ['hunter2secret', 'postgres://app:hunter2secret@db.internal:5432/audit'],
  ['hunter2secret', 'login failed: password=hunter2secret user=bob'],
  ['hunter2secret', 'config {"db_password": "hunter2secret"}'],
  ['hunter2secret', 'https://api.example.com/v1?access_token=hunter2secret&limit=10'],
  ['hunter2secret', 'Api-Key: hunter2secret'],
  ['hunter2secret==', 'DefaultEndpointsProtocol=https;AccountName=x;AccountKey=hunter2secret==;'],
  ['aHVudGVyMjpodW50ZXIy', 'Authorization: Basic aHVudGVyMjpodW50ZXIy'],
  ['a.opaque-token_123456', 'authorization: bearer a.opaque-token_123456'],
];

/** Names whose values are secret whatever they look like. */
export const names = [
  'password',
  'Password',
  'userPassword',
  'DB_PASSWORD',
  'passwd',
  'pwd',
  'secret',
  'client_secret',
  'clientSecret',
  'apiKey',
  'api_key',
  'x-api-key',
  'X-API-Key',
  'apikey',
  'access_token',
  'refreshToken',
  'token',
  'authorization',
  'Proxy-Authorization',
  'cookie',
  'Set-Cookie',
  'private_key',
  'privateKeyPem',
  'aws_secret_access_key',
  'session_id',
  'sessionId',
  'connectionString',
  'credentials',
  'otp',
  'cvv',
  'ssn',
  'card_number',
  'encryptionKey',
];

/** What must come through untouched. */
export const harmless: object[] = [
  { llm_input_tokens: 1234, llm_output_tokens: 5, llm_cache_read_tokens: 0, retrieval_token_budget: 4000 },
  { retrieval_token_used: 12, token_type: 'bearer', token_count: '17', tokenizer: 'cl100k' },
  { password_changed_at: '2026-01-01', password_policy: 'strong', passwordRequired: true, passenger: 'Ann' },
  { secretary: 'Bob', secret_name: 'db/main', secret_arn: 'arn:aws:secretsmanager:eu-1:1:secret:db' },
  {
    keyboard: 'de',
    primary_key: 'id',
    key: 'order-1',
    keys: ['a', 'b'],
    public_key: 'ssh-ed25519 AAAAC3Nza',
    monkey: 1,
  },
  { access_key_id: 'primary', author: 'Eve', authentication: 'oidc', authorized: true, auth_method: 'mfa' },
  { text: 'the password was reset and a token was issued; see the secret sauce recipe' },
  { url: 'https://example.com:8080/a/b?x=1&y=2', mail: 'ops@example.com', ssh: 'git@github.com:o/r.git' },
  {
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    etag: '"33a64df551425fcc55e"',
  },
  { uuid: '41111111-1111-4111-8111-111111111111', id: '01903f5b-7c1a-7cde-8f00-112233445566' },
  {
    at_ms: 1_767_225_600_000,
    at_us: 1_767_225_600_000_000,
    at: '1767225600000',
    snowflake: '1288834974657000000',
  },
  {
    phone: '+49 30 1234567',
    iban_like: 'order 2026-11-20-000017',
    version: '10.20.30.40',
    zero: '0000000000000000',
  },
  {
    technique: 'T1059.001',
    rule: 'basic auth disabled',
    note: 'Basic information',
    session_count: 4,
    account: 'acme',
  },
  {
    risk: 'risk-assessment-of-the-quarter',
    task: 'task-1234567890123456789012',
    disk: '/dev/disk-by-id-000000000000',
  },
];
