import { TallystickViewer } from './element.tsx';

// On a server there are no elements: the module can be imported, and does nothing.
if (typeof customElements !== 'undefined' && customElements.get('tallystick-viewer') === undefined)
  customElements.define('tallystick-viewer', TallystickViewer);

export type { AlarmDetail } from './contract.ts';
export type { ViewerWords } from './words/viewer-words.ts';
export { languages } from './words/words.ts';
export { TallystickViewer };
