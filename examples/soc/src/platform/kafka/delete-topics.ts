import { Admin } from '@platformatic/kafka';

/** Deletes the topics and the consumer groups of a platform whose members have all ended. @param prefix not empty */
export async function deleteTopics(brokers: readonly string[], prefix: string): Promise<void> {
  if (prefix === '') throw new Error('without a prefix, these would be the topics and groups of all clients');
  const admin = new Admin({ clientId: 'soc-topics', bootstrapBrokers: [...brokers], retries: 3 });
  try {
    const isOwn = (name: string) => name.startsWith(prefix);
    const groups = [...(await admin.listGroups()).keys()].filter(isOwn);
    if (groups.length > 0) await admin.deleteGroups({ groups });
    const topics = (await admin.listTopics()).filter(isOwn);
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } finally {
    await admin.close();
  }
}
