import { expect, test } from 'vitest';
import { checkOutput } from '../../src/context-gateway/model-output.ts';

const answer = { verdict: 'benign', confidence: 0.9, summary: 'nothing' };

test('an answer may be in a fence of Markdown', () => {
  for (const text of [
    JSON.stringify(answer),
    `\`\`\`json\n${JSON.stringify(answer)}\n\`\`\``,
    `  \`\`\`\n${JSON.stringify(answer, null, 2)}\n\n  \`\`\`\n`,
  ]) {
    expect(checkOutput(text)).toMatchObject({ verdict: 'benign', confidence: 0.9 });
  }
  expect(checkOutput(`Here it is: ${JSON.stringify(answer)}`)).toEqual({ problem: 'the answer is not JSON' });
});

/** A hostile or broken model can send any text. The search for the end of a fence took quadratic time in the length of the answer. */
test('an answer that is too long is not read', () => {
  for (const text of ['```\n'.padEnd(1_000_000, '\n'), `"${'a'.repeat(10_000_000)}"`, '[['.repeat(100_000)]) {
    expect(checkOutput(text)).toEqual({ problem: 'the answer is longer than 65536 characters' });
  }
  expect(checkOutput('```\n'.padEnd(65_536, '\n'))).toEqual({ problem: 'the answer is not JSON' });
});
