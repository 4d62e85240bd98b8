import { injectionSigns } from './injection-signs.ts';

const longest = 200;

/**
 * The title of an alert as a record may hold it. A title that gives orders to a model is left out, because a model that reads the trail
 * could follow them.
 */
export function quotableTitle(title: string): string {
  if (injectionSigns([{ where: '/title', text: title }]).length > 0)
    return '(title left out: it instructs models)';
  const characters = [...title];
  return characters.length > longest ? `${characters.slice(0, longest).join('')}…` : title;
}
