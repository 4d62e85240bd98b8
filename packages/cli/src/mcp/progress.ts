import type { CallPort } from './call-port.ts';
import type { ToolCall } from './client-message.ts';

const defaultIntervalMs = 10_000;

/**
 * Tells a client that waits that its call is alive, so that it does not time out.
 *
 * @returns ends it
 */
export function tellProgress(
  { progressToken }: ToolCall,
  port: CallPort,
  message: string,
  intervalMs = defaultIntervalMs,
): () => void {
  if (progressToken === undefined) return () => {};
  let steps = 0;
  const tell = () => {
    // The value must increase with each notification, and the server's own values come later.
    const progress = ++steps / 1_000_000;
    port.send({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken, progress, message },
    });
  };
  tell();
  const timer = setInterval(tell, intervalMs);
  return () => clearInterval(timer);
}
