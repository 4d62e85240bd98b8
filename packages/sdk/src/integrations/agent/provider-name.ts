/** `gen_ai.provider.name` has a list of values. Libraries have names of their own for the same providers. */
const wellKnown: readonly (readonly [prefix: string, name: string])[] = [
  ['amazon-bedrock', 'aws.bedrock'],
  ['amazon_bedrock', 'aws.bedrock'],
  ['azure', 'azure.ai.openai'],
  ['google.vertex', 'gcp.vertex_ai'],
  ['google-vertex', 'gcp.vertex_ai'],
  ['google_vertexai', 'gcp.vertex_ai'],
  ['google', 'gcp.gemini'],
  ['mistral', 'mistral_ai'],
  ['mistralai', 'mistral_ai'],
  ['xai', 'x_ai'],
];

/** Of these providers, the text after the dot names the API, such as `openai.responses`. */
const withApi = new Set(['anthropic', 'cohere', 'deepseek', 'groq', 'openai', 'perplexity']);

/** The name that the OpenTelemetry conventions have for a provider, or the given one. */
export function providerName(given: string): string {
  for (const [prefix, name] of wellKnown) {
    if (given === prefix || given.startsWith(`${prefix}.`)) return name;
  }
  const [first = given] = given.split('.', 1);
  return withApi.has(first) ? first : given;
}
