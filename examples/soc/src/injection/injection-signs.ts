import type { InjectionSign } from '../platform/alert.ts';
import { readableVariants } from './readable-variants.ts';
import type { FoundText } from './strings-in.ts';

/**
 * Sentences that give instructions to a model. An alert describes what happened; it has no reason to contain one. The gaps between
 * words are bounded, so that each expression takes linear time.
 */
const patterns: readonly { readonly name: string; readonly weight: number; readonly expression: RegExp }[] = [
  {
    name: 'override-instructions',
    weight: 0.9,
    expression:
      /\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|the|these)\b.{0,30}\b(?:instructions?|prompts?|rules?|guidelines|directions|context)\b/i,
  },
  {
    name: 'chat-markup',
    weight: 0.9,
    expression:
      /<\|(?:im_start|im_end|system|endoftext)\|>|<\/?(?:system|assistant|instructions?)>|\[\/?(?:INST|SYS)\]|#{2,}\s?(?:system|instruction)s?\b/i,
  },
  {
    name: 'new-role',
    weight: 0.6,
    expression: /\b(?:you are now|act as|pretend to be|from now on,? you)\b/i,
  },
  {
    name: 'dictated-verdict',
    weight: 0.7,
    expression:
      /\b(?:classify|mark|label|treat|close|report|rate|consider)\b.{0,40}\b(?:as|this|it)\b.{0,30}\b(?:benign|false[ -]positive|harmless|safe|resolved|informational)\b/i,
  },
  {
    name: 'reveal-secrets',
    weight: 0.8,
    expression:
      /\b(?:reveal|print|show|repeat|output|leak|send)\b.{0,40}\b(?:system prompt|your instructions|api[ _-]?keys?|credentials|secrets?)\b/i,
  },
  {
    name: 'addressed-to-model',
    weight: 0.6,
    expression:
      /\b(?:dear|attention|note to|hey|hello)\b.{0,10}\b(?:ai|llm|assistant|language model|chatgpt|claude)\b/i,
  },
  {
    name: 'dictated-action',
    weight: 0.6,
    expression: /\b(?:call|invoke|execute|use)\b.{0,20}\b(?:the )?(?:tool|function|playbook)\b/i,
  },
  {
    name: 'override-instructions-de',
    weight: 0.9,
    expression:
      /\b(?:ignorier\w*|missachte\w*|vergiss)\b.{0,40}\b(?:anweisung\w*|vorgaben|regeln|instruktion\w*)/i,
  },
  {
    name: 'override-instructions-fr',
    weight: 0.9,
    expression: /\b(?:ignore[zr]?|oublie[zr]?)\b.{0,40}(?:consignes|règles|instructions pr[ée]c[ée]dentes)/i,
  },
  {
    name: 'override-instructions-es',
    weight: 0.9,
    expression: /\b(?:ignor[ae]n?|olvida)\b.{0,40}(?:instrucciones|instruções|reglas|regras)/i,
  },
  {
    name: 'override-instructions-zh',
    weight: 0.9,
    expression: /(?:忽略|无视|忘记|忽視).{0,12}(?:指令|指示|说明|提示|規則|规则)/,
  },
  {
    name: 'override-instructions-ja',
    weight: 0.9,
    expression: /(?:指示|命令|ルール|プロンプト)を.{0,8}(?:無視|忘れ)/,
  },
  { name: 'override-instructions-ko', weight: 0.9, expression: /(?:지시|명령|지침|규칙).{0,8}(?:무시|잊)/ },
  {
    name: 'override-instructions-ru',
    weight: 0.9,
    expression: /(?:игнорируй|забудь|не обращай внимания).{0,40}(?:инструкци|указани|правил)/i,
  },
  {
    name: 'override-instructions-ar',
    weight: 0.9,
    expression: /(?:تجاهل|انس).{0,30}(?:التعليمات|الأوامر|القواعد)/,
  },
  {
    name: 'override-instructions-hi',
    weight: 0.9,
    expression: /(?:निर्देश|नियम)\S{0,6}.{0,20}(?:अनदेखा|नज़रअंदाज़|भूल)/,
  },
];

/** Signs of one text are counted once per pattern; of one alert at most this many are kept. */
const maxSigns = 100;

/** Signs of prompt injection in any text of an alert, also where the text is encoded or disguised. */
export function injectionSigns(texts: readonly FoundText[]): InjectionSign[] {
  const signs: InjectionSign[] = [];
  for (const { where, text } of texts) {
    const seen = new Set<string>();
    for (const variant of readableVariants(text)) {
      for (const { name, weight, expression } of patterns) {
        if (seen.has(name) || !expression.test(variant.text)) continue;
        seen.add(name);
        signs.push({ pattern: name, where, weight, encoding: variant.encoding });
        if (signs.length === maxSigns) return signs;
      }
    }
  }
  return signs;
}
