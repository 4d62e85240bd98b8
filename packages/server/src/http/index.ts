export { type LoginAlgorithm, type LoginOptions, readLoginOptions } from '../access/logins/login-options.ts';
export { ServiceMetrics } from '../metrics/service-metrics.ts';
export { createHttpApp, type HttpOptions } from './http-app.ts';
export type { RateLimitOptions } from './kernel/limits/rate-limits.ts';
export type { Rate } from './kernel/limits/token-buckets.ts';
export { defaultHost, defaultPort, type HttpServer, type ServeOptions, serveHttp } from './serve.ts';
