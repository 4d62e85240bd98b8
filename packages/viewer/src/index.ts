import { TallystickViewer } from './element.tsx';

// On a server there are no elements: the module can be imported, and does nothing.
if (typeof customElements !== 'undefined' && customElements.get('tallystick-viewer') === undefined)
  customElements.define('tallystick-viewer', TallystickViewer);

export type { AlarmDetail } from './contract.ts';
export { languages, type ViewerWords } from './words/words.ts';
export { TallystickViewer };
