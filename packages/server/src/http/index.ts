export { ServiceMetrics } from '../metrics/service-metrics.ts';
export { createHttpApp, type HttpOptions } from './kernel/app.ts';
export { defaultHost, defaultPort, type HttpServer, type ServeOptions, serveHttp } from './kernel/serve.ts';
