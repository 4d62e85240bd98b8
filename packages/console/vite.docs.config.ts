import { docsConfig } from './vite.config.ts';

/** For `vite build --config`, which builds one page. */
export default docsConfig;
