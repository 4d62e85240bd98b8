import type { Reply, ReplyTo } from './reply.ts';

/** The answers to the messages of a batch, in one stream of events. An event has no id here, so the stream can't be continued. */
export function partOf(reply: Reply): ReplyTo {
  return {
    gone: reply.gone,
    canResume: false,
    hasBegun: true,
    begin: () => {},
    wait: () => reply.wait(),
    event: async ({ data }) => {
      if (data !== '') await reply.event({ data });
    },
    notify: (message) => reply.notify(message),
    answer: (json) => void reply.event({ data: json }),
    finish: () => {},
    break: () => reply.break(),
  };
}
