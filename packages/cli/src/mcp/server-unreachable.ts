/** The server did not get a message, or gave no answer that can be passed on. The message of the error is shown to the client. */
export class ServerUnreachable extends Error {
  override readonly name = 'ServerUnreachable';
}
