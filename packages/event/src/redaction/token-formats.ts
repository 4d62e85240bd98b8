import {
  alphanumeric,
  base64,
  digit,
  dotted,
  endOfRun,
  hasAt,
  hex,
  setsAt,
  setsIn,
  type Text,
  urlSafe,
} from './characters.ts';

/**
 * Formats of tokens and keys, as the services publish them in their documentation and to secret scanners. A token is a prefix,
 * then at least `min` characters of a set.
 */
interface TokenFormat {
  readonly prefix: string;
  readonly set: number;
  readonly min: number;
  /** Not more characters than these: a longer run is something else. */
  readonly max?: number;
  /** The prefix occurs in ordinary names too. Of the characters after it, one must be a digit. */
  readonly needsDigit?: boolean;
}

const formats: TokenFormat[] = [];
function add(
  set: number,
  min: number,
  prefixes: string,
  rest: Pick<TokenFormat, 'max' | 'needsDigit'> = {},
): void {
  for (const prefix of prefixes.split(' ')) formats.push({ prefix, set, min, ...rest });
}

// Clouds: AWS, Google, DigitalOcean, Alibaba, Tencent, Fly.io, Heroku, Scaleway, Yandex
add(alphanumeric, 16, 'AKIA ASIA ABIA ACCA', { max: 16 });
add(base64, 100, 'ABSKQmVkcm9ja0FQSUtleS');
add(urlSafe, 35, 'AIza');
add(urlSafe, 20, 'ya29.');
add(urlSafe, 24, 'GOCSPX-');
add(urlSafe, 30, '1//0');
add(hex, 64, 'dop_v1_ doo_v1_ dor_v1_');
add(alphanumeric, 16, 'LTAI', { needsDigit: true });
add(alphanumeric, 32, 'AKID', { max: 40, needsDigit: true });
add(base64, 40, 'fo1_ fm1a_ fm1r_ fm2_');
add(urlSafe, 36, 'HRKU-');
add(urlSafe, 30, 'AQVN', { needsDigit: true });
// Source code and packages: GitHub, GitLab, Bitbucket, Atlassian, npm, PyPI, RubyGems, crates.io, NuGet, Docker, Clojars
add(alphanumeric, 30, 'ghp_ gho_ ghu_ ghs_ ghr_');
add(urlSafe, 22, 'github_pat_');
add(dotted, 20, 'glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- gloas- glsoat- glffct- glwt-');
add(base64, 24, 'ATATT3xFf ATCTT3xFf ATBB', { needsDigit: true });
add(alphanumeric, 36, 'npm_');
add(urlSafe, 50, 'pypi-');
add(hex, 48, 'rubygems_');
add(alphanumeric, 32, 'cio', { max: 32, needsDigit: true });
add(alphanumeric, 43, 'oy2', { max: 43 });
add(urlSafe, 20, 'dckr_pat_ dckr_oat_');
add(alphanumeric, 60, 'CLOJARS_');
// Messages and mail: Slack, SendGrid, Twilio, Mailgun, Brevo, Linear, Notion, Typeform, Intercom
add(urlSafe, 10, 'xoxa- xoxb- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xapp- xwfp-');
add(base64, 20, 'hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/');
add(dotted, 33, 'SG.', { needsDigit: true });
add(hex, 32, 'SK', { max: 32, needsDigit: true });
add(alphanumeric, 32, 'key-', { needsDigit: true });
add(urlSafe, 64, 'xkeysib- xsmtpsib-');
add(alphanumeric, 30, 'lin_api_ lin_oauth_ ntn_');
add(alphanumeric, 43, 'secret_', { needsDigit: true });
add(dotted, 40, 'tfp_');
// Payments and commerce: Stripe, Shopify, Square, PayPal, Razorpay, Plaid, Flutterwave, EasyPost, Shippo
add(alphanumeric, 16, 'sk_live_ sk_test_ rk_live_ rk_test_ rzp_live_ rzp_test_');
add(base64, 20, 'whsec_');
add(hex, 32, 'shpat_ shpca_ shppa_ shpss_');
add(urlSafe, 22, 'sq0atp- sq0csp- sq0idp-');
add(dotted, 20, 'access_token$production$ access_token$sandbox$');
add(urlSafe, 30, 'access-sandbox- access-development- access-production-', { needsDigit: true });
add(alphanumeric, 32, 'FLWSECK_TEST- FLWSECK-', { needsDigit: true });
add(alphanumeric, 50, 'EZAK EZTK', { needsDigit: true });
add(hex, 40, 'shippo_live_ shippo_test_');
// Models: OpenAI, Anthropic and others with sk-, Hugging Face, Groq, Replicate, Perplexity, xAI, LangSmith
add(urlSafe, 20, 'sk-', { needsDigit: true });
add(alphanumeric, 30, 'hf_ gsk_ r8_ pplx- xai- lsv2_pt_ lsv2_sk_', { needsDigit: true });
// Operation: Vault, Terraform, Databricks, Grafana, Sentry, New Relic, Datadog, Dynatrace, PlanetScale, Supabase, Doppler
add(urlSafe, 24, 'hvs. hvb. hvr.');
add(hex, 32, 'dapi');
add(base64, 32, 'glsa_ glc_');
add(base64, 40, 'sntrys_ sntryu_');
add(alphanumeric, 27, 'NRAK-');
add(hex, 19, 'NRJS-');
add(dotted, 60, 'dt0c01. dt0s01.');
add(dotted, 32, 'pscale_tkn_ pscale_pw_ pscale_oauth_');
add(hex, 40, 'sbp_');
add(urlSafe, 20, 'sb_secret_');
add(alphanumeric, 40, 'dp.pt. dp.ct. dp.sa. dp.scim. dp.audit.');
add(base64, 40, 'pul-', { needsDigit: true });
add(dotted, 30, 'PMAK- tskey-api- tskey-auth- tskey-client- tskey-scim- tskey-webhook-');
add(hex, 40, 'squ_ sqp_ sqa_ bkua_');
add(urlSafe, 40, 'CCIPAT_ figd_ nfp_ vercel_blob_rw_ ops_eyJ');
add(alphanumeric, 60, 'AKCp');
add(urlSafe, 24, 'CFPAT-');
add(alphanumeric, 50, 'AGE-SECRET-KEY-1');
// This service
add(urlSafe, 70, 'tally_');

/** How a token begins that starts a word: a prefix, `eyJ` of a JSON Web Token, or the letters of a token of several parts. */
export const tokenBeginnings = [...formats.map(({ prefix }) => prefix), 'eyJ', 'pat', 'M', 'N', 'O'];

/** By their first character. */
const byFirst: (readonly TokenFormat[] | undefined)[] = [];
for (const [code, same] of Map.groupBy(formats, ({ prefix }) => prefix.charCodeAt(0))) byFirst[code] = same;

/** The end of the token that begins at this index, the start of a word; 0 if none does. */
export function tokenEnd(text: Text, at: number): number {
  const candidates = byFirst[text.charCodeAt(at)];
  if (candidates !== undefined) {
    for (const { prefix, set, min, max, needsDigit } of candidates) {
      if (!hasAt(text, at, prefix)) continue;
      const start = at + prefix.length;
      // Before the rest of a long run is read, it is clear that the run is a token: a refused run costs no more than its minimum.
      const enough = endOfRun(text, start, set, start + (max ?? min) + 1);
      if (enough - start < min || (max !== undefined && enough - start > max)) continue;
      if (needsDigit === true && (setsIn(text, [start, enough]) & digit) === 0) continue;
      return max === undefined ? endOfRun(text, enough, set) : enough;
    }
  }
  return irregularTokenEnd(text, at);
}

/** Tokens that consist of several parts. */
function irregularTokenEnd(text: Text, at: number): number {
  // Telegram: the number of a bot, a colon, 35 characters that begin with AA
  if ((setsAt(text, at) & digit) !== 0) {
    const colon = endOfRun(text, at, digit, at + 11);
    if (colon - at < 8 || !hasAt(text, colon, ':AA')) return 0;
    const end = endOfRun(text, colon + 1, urlSafe, colon + 37);
    return end - colon - 1 === 35 ? end : 0;
  }
  // Airtable: pat, 14 characters, a dot, 64 hexadecimal digits
  if (hasAt(text, at, 'pat')) {
    const dot = endOfRun(text, at + 3, alphanumeric, at + 18);
    if (dot !== at + 17 || !hasAt(text, dot, '.')) return 0;
    return endOfRun(text, dot + 1, hex, dot + 66) - dot - 1 === 64 ? dot + 65 : 0;
  }
  // Discord: the number of a bot in base64, six characters, 27 or more
  const first = text.charCodeAt(at);
  if (first >= 0x4d && first <= 0x4f && endOfRun(text, at, alphanumeric, at + 3) === at + 3) {
    const one = endOfRun(text, at, urlSafe, at + 31);
    if (one - at < 23 || !hasAt(text, one, '.')) return 0;
    const two = endOfRun(text, one + 1, urlSafe, one + 8);
    if (two - one - 1 !== 6 || !hasAt(text, two, '.')) return 0;
    const three = endOfRun(text, two + 1, urlSafe, two + 41);
    return three - two - 1 >= 27 ? three : 0;
  }
  return 0;
}

/**
 * The span of a token that is recognised by its middle: an Azure client secret (`…7Q~…`), a Terraform token
 * (`….atlasv1.…`), a Mailchimp key (`…-us21`).
 *
 * @param at index of the `Q`, the `.` or the `-`
 */
export function tokenAround(text: Text, at: number): readonly [number, number] | undefined {
  if (hasAt(text, at, 'Q~')) {
    const end = endOfRun(text, at + 2, dotted, at + 37);
    return (setsAt(text, at - 1) & digit) !== 0 && end - at - 2 >= 31 ? [at - 4, end] : undefined;
  }
  if (hasAt(text, at, '.atlasv1.')) {
    const end = endOfRun(text, at + 9, base64);
    return end - at > 50 ? [Math.max(0, at - 14), end] : undefined;
  }
  if (hasAt(text, at, '-us') && (setsAt(text, at + 3) & digit) !== 0 && at >= 32) {
    if ((setsAt(text, at - 33) & alphanumeric) !== 0) return undefined;
    return endOfRun(text, at - 32, hex, at) === at ? [at - 32, endOfRun(text, at + 3, digit)] : undefined;
  }
  return undefined;
}

/**
 * The end of a JSON Web Token, or of a Grafana key, which is one too but has no dots. A run of such characters that is not a
 * token is read again for each `eyJ` in it, so the caller passes the end of the last run.
 *
 * @returns the end, and whether it is a token
 */
export function jsonWebTokenEnd(text: Text, at: number): { readonly end: number; readonly isToken: boolean } {
  const head = endOfRun(text, at, urlSafe);
  if (hasAt(text, at, 'eyJrIjoi') && head - at >= 40)
    return { end: endOfRun(text, head, base64), isToken: true };
  if (head - at < 11 || !hasAt(text, head, '.')) return { end: head, isToken: false };
  const payload = endOfRun(text, head + 1, urlSafe);
  if (payload - head - 1 < 8 || !hasAt(text, payload, '.')) return { end: head, isToken: false };
  return { end: endOfRun(text, payload, dotted), isToken: true };
}
