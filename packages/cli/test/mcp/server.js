// A small MCP server for tests. It speaks JSON-RPC without an SDK, so that it can also break the rules.
import { createInterface } from 'node:readline';

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
/** Every line that arrived, as it was written. */
const seen = [];
const text = (value) => ({ content: [{ type: 'text', text: value }] });

const tools = {
  echo: ({ id, params }) => send({ result: text(JSON.stringify(params.arguments ?? null)), id }),
  fails: ({ id }) => send({ id, result: { ...text('no such order'), isError: true } }),
  error: ({ id }) => send({ id, error: { code: -32603, message: 'inner' } }),
  // The id comes after the result, as in the official SDK.
  big: ({ id, params }) => send({ result: text('x'.repeat(params.arguments.size)), id }),
  slow: ({ params }) => {
    const { progressToken } = params._meta ?? {};
    send({ method: 'notifications/progress', params: { progressToken, progress: 1 } });
  },
  dies: () => process.exit(7),
  garbage: ({ id }) => {
    process.stdout.write('listening on nothing\n');
    send({ id, result: text('after garbage') });
  },
  asks: ({ id }) => send({ id, result: { resultType: 'input_required', requestState: 's' } }),
  guesses: ({ id, params }) => {
    send({ id: params.arguments.id, result: text('guessed') });
    send({ id, result: text('done') });
  },
};

createInterface(process.stdin).on('line', (line) => {
  seen.push(line);
  const messages = [JSON.parse(line)].flat();
  if (messages.length > 1) return send({ method: 'test/batch', params: { size: messages.length } });
  const [message] = messages;
  if (message.method === 'tools/call') return tools[message.params.name](message);
  if (message.method === 'tools/list') {
    // The definition is another one in each list.
    const description = `list ${seen.length}`;
    return send({ id: message.id, result: { tools: [{ name: 'echo', description }] } });
  }
  if (message.method === 'test/seen') return send({ id: message.id, result: { seen } });
  if (message.method === 'test/sample') send({ id: 's-1', method: 'sampling/createMessage', params: {} });
  if (message.method === 'test/answer') send({ id: message.params.id, result: text('late') });
  if (message.method === 'test/env')
    send({ id: message.id, result: { key: process.env.TALLYSTICK_API_KEY ?? null } });
  if (message.method === 'test/stubborn') process.on('SIGTERM', () => process.exit(9));
});
process.stderr.write('server started\n');
