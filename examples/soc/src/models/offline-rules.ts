import type { ActionKind, Verdict } from '../platform/investigation.ts';

/** What every model is asked to answer, as JSON. */
export interface ModelVerdict {
  readonly verdict: Verdict;
  readonly confidence: number;
  readonly summary: string;
  readonly techniques: readonly string[];
  readonly recommended_actions: readonly ActionKind[];
}

interface Rule {
  readonly name: string;
  readonly words: RegExp;
  /** Positive: it speaks for an attack. Negative: against one. */
  readonly weight: number;
  readonly techniques?: readonly string[];
  readonly actions?: readonly ActionKind[];
  /** Whether it is about earlier investigations, which the other rules do not see. */
  readonly ofSimilar?: boolean;
}

/** Each rule that matches adds its weight. */
const rules: readonly Rule[] = [
  {
    name: 'credential theft',
    words: /mimikatz|lsass|sekurlsa|credential dump/i,
    weight: 0.5,
    techniques: ['T1003', 'T1003.001'],
    actions: ['isolate_host', 'revoke_sessions'],
  },
  {
    name: 'ransomware',
    words: /ransom|encrypted for impact|vssadmin|shadow cop(?:y|ies)|wbadmin/i,
    weight: 0.6,
    techniques: ['T1486', 'T1490'],
    actions: ['isolate_host', 'quarantine_file'],
  },
  {
    name: 'command and control',
    words: /\bc2\b|beacon|command and control|trojan/i,
    weight: 0.4,
    techniques: ['T1071'],
    actions: ['block_domain', 'block_ip'],
  },
  {
    name: 'script download',
    words: /powershell|-enc(?:odedcommand)?\b|invoke-webrequest|downloadstring|curl .{0,80}\| ?(?:ba)?sh/i,
    weight: 0.3,
    techniques: ['T1059', 'T1105'],
    actions: ['quarantine_file'],
  },
  {
    name: 'brute force',
    words: /brute[ -]force|failed password|password spray|authentication failure/i,
    weight: 0.25,
    techniques: ['T1110'],
    actions: ['block_ip'],
  },
  {
    name: 'phishing',
    words: /phish|spoofed sender|suspicious (?:link|attachment)/i,
    weight: 0.35,
    techniques: ['T1566'],
    actions: ['block_domain', 'notify_analyst'],
  },
  {
    name: 'exfiltration',
    words: /exfiltrat|large upload|unusual outbound/i,
    weight: 0.4,
    techniques: ['T1041'],
    actions: ['block_ip', 'disable_account'],
  },
  // T1168 was merged into T1053 in 2020. A model that learned from old texts names it; the gateway has to notice.
  {
    name: 'scheduled task',
    words: /schtasks|scheduled task|crontab/i,
    weight: 0.2,
    techniques: ['T1053', 'T1168'],
    actions: ['tag_host'],
  },
  {
    name: 'web shell',
    words: /web ?shell|cmd\.aspx|eval\(base64/i,
    weight: 0.5,
    techniques: ['T1505.003'],
    actions: ['isolate_host'],
  },
  {
    name: 'account takeover',
    words: /impossible travel|token theft|mfa fatigue|consent grant/i,
    weight: 0.35,
    techniques: ['T1078'],
    actions: ['revoke_sessions', 'disable_account'],
  },
  {
    name: 'plant control',
    words: /\bplc\b|modbus|setpoint|unauthori[sz]ed command/i,
    weight: 0.4,
    techniques: ['T0855'],
    actions: ['stop_production_line'],
  },
  { name: 'a known exposure of the same asset', words: /ref="exposure-/, weight: 0.2 },
  { name: 'a detection of the same technique', words: /ref="detection-/, weight: 0.2 },
  {
    name: 'an authorised test',
    words: /authori[sz]ed (?:scan|test|penetration)|red team exercise|vulnerability scanner|nessus|qualys/i,
    weight: -0.6,
  },
  {
    name: 'routine maintenance',
    words: /backup (?:job|agent)|software (?:update|deployment)|patch window|sccm|ansible/i,
    weight: -0.4,
  },
  {
    name: 'a similar incident that was a false positive',
    words: /similar incident: false_positive/i,
    weight: -0.2,
    ofSimilar: true,
  },
];

/** What the gateway writes about an earlier investigation. Its words are not those of the alert. */
const similarIncident = /<evidence ref="[^"]*">\nsimilar incident: [^\n]*\n<\/evidence>/g;

/** Judges the text of a prompt. The result depends on the text alone. */
export function judgeEvidence(text: string): ModelVerdict {
  const ownText = text.replace(similarIncident, '');
  const matching = rules.filter(({ words, ofSimilar = false }) => words.test(ofSimilar ? text : ownText));
  const score = matching.reduce((sum, { weight }) => sum + weight, 0);
  const attacks = matching.filter(({ weight, techniques }) => weight > 0 && techniques !== undefined);
  const verdict = verdictOf(score, matching.length);
  return {
    verdict,
    confidence: confidenceOf(score, matching.length),
    summary:
      matching.length === 0
        ? 'No rule speaks for or against an attack.'
        : `The evidence shows ${matching.map(({ name }) => name).join(', ')}.`,
    techniques: [...new Set(attacks.flatMap(({ techniques }) => techniques ?? []))],
    recommended_actions:
      verdict === 'true_positive' ? [...new Set(attacks.flatMap(({ actions }) => actions ?? []))] : [],
  };
}

function verdictOf(score: number, matches: number): Verdict {
  if (score >= 0.25) return 'true_positive';
  if (score <= -0.2) return 'false_positive';
  return matches === 0 ? 'benign' : 'inconclusive';
}

function confidenceOf(score: number, matches: number): number {
  if (matches === 0) return 0.65;
  return Math.round(Math.min(0.97, 0.5 + Math.abs(score) * 0.55) * 100) / 100;
}
