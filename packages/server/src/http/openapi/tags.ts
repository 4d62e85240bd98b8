/** The groups of operations, in the order in which a newcomer needs them. */
export const tags: readonly { readonly name: string; readonly description: string }[] = [
  {
    name: 'Ingest',
    description: 'Send events. Each answer has a receipt, or says why the event was refused.',
  },
  { name: 'Events', description: 'Find, count, follow and export the events of a tenant.' },
  { name: 'Log', description: 'Signed checkpoints and proofs, for clients that do not trust the service.' },
  {
    name: 'Approvals',
    description: 'Ask people before an agent acts, decide, and run an action exactly once.',
  },
  { name: 'Agents', description: 'Actions of agents whose intent or end is missing.' },
  { name: 'Tenants', description: 'The chains of the service.' },
  { name: 'Producers', description: 'Who sent events, and which of their numbers are missing.' },
  { name: 'Dead letters', description: 'Events that the service refused, with their bytes.' },
  { name: 'API keys', description: 'Make and revoke keys, and block a person or an agent.' },
  { name: 'Viewer tokens', description: 'Tokens with which a browser reads a part of one tenant’s trail.' },
  { name: 'Operation', description: 'Health, metrics and followers, for the operator of the service.' },
  { name: 'Documentation', description: 'This document.' },
  {
    name: 'Console',
    description: 'The session of a person in the console. Programs use an API key instead.',
  },
];
