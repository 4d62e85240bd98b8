/** Emits audit events over `fetch`, without any module of Node.js: for edge runtimes such as Cloudflare Workers. */
export { createFetchEmitter, FetchEmitter } from './emitter.ts';
export { type FetchEmitterOptions, fetchEmitterDefaults } from './options.ts';
