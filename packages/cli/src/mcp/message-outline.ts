import { createHash, type Hash } from 'node:crypto';
import type { StatedEnd } from '@tallystick/sdk/gate';
import { endOfToolResult } from '@tallystick/sdk/mcp';
import { failedWith } from './answer.ts';

/** Longest name or simple value that is kept, in bytes. Ids and error codes are far shorter. */
const maxKept = 4_096;
const quote = 0x22;
const backslash = 0x5c;
const isOpening = (byte: number) => byte === 0x7b || byte === 0x5b;
const isClosing = (byte: number) => byte === 0x7d || byte === 0x5d;
const isSpace = (byte: number) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

/**
 * Reads the outline of a JSON-RPC message while its bytes pass: the id, whether it is a response, and how the call ended. Its memory
 * does not depend on the size of the message. The result is not kept; its bytes are counted and hashed.
 */
export class MessageOutline {
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Bytes of the string or simple value that is being read at depth 1 or 2. */
  #kept: number[] = [];
  /** The member that is being read at depth 1, and inside it at depth 2. */
  readonly #names: [string | undefined, string | undefined] = [undefined, undefined];
  #afterColon = false;
  readonly #values = new Map<string, unknown>();
  #hash: Hash | undefined;
  #resultBytes = 0;
  #isObject: boolean | undefined;

  push(chunk: Uint8Array): void {
    let hashFrom = this.#hash !== undefined && this.#inResult ? 0 : -1;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (this.#inString) {
        this.#readString(byte);
        continue;
      }
      if (isSpace(byte)) continue;
      if (byte === quote) {
        this.#inString = true;
        this.#keep(byte);
      } else if (byte === 0x3a) this.#endName();
      else if (byte === 0x2c) this.#endMember();
      else if (isOpening(byte)) {
        this.#isObject ??= byte === 0x7b;
        this.#kept = [];
        this.#depth++;
        this.#afterColon = false;
        if (this.#depth === 2) {
          this.#names[1] = undefined;
          if (this.#names[0] === 'result') {
            this.#hash = createHash('sha256');
            hashFrom = at;
          }
        }
      } else if (isClosing(byte)) {
        this.#endMember();
        this.#depth--;
        if (this.#depth === 1 && hashFrom >= 0) {
          this.#hashBytes(chunk.subarray(hashFrom, at + 1));
          hashFrom = -1;
        }
      } else this.#keep(byte);
    }
    if (hashFrom >= 0) this.#hashBytes(chunk.subarray(hashFrom));
  }

  get #inResult(): boolean {
    return this.#depth >= 2 && this.#names[0] === 'result';
  }

  #hashBytes(bytes: Uint8Array): void {
    this.#hash!.update(bytes);
    this.#resultBytes += bytes.length;
  }

  #readString(byte: number): void {
    this.#keep(byte);
    if (this.#escaped) this.#escaped = false;
    else if (byte === backslash) this.#escaped = true;
    else if (byte === quote) this.#inString = false;
  }

  #keep(byte: number): void {
    if (this.#depth <= 2 && this.#kept.length < maxKept) this.#kept.push(byte);
  }

  #endName(): void {
    if (this.#depth === 1 || this.#depth === 2) this.#names[this.#depth - 1] = String(this.#take());
    this.#afterColon = true;
  }

  #endMember(): void {
    const value = this.#take();
    if (!this.#afterColon || value === undefined) return;
    this.#afterColon = false;
    if (this.#depth === 1) this.#values.set(`${this.#names[0]}`, value);
    else if (this.#depth === 2) this.#values.set(`${this.#names[0]}/${this.#names[1]}`, value);
  }

  #take(): unknown {
    const text = Buffer.from(this.#kept).toString();
    this.#kept = [];
    try {
      return text === '' ? undefined : JSON.parse(text);
    } catch {
      return undefined;
    }
  }

  /** The id of the request that the message answers, and the end of its call; `undefined` if it is not a response. */
  response(): { readonly id: unknown; readonly end: StatedEnd } | undefined {
    const value = (name: string) => this.#values.get(name);
    if (this.#isObject !== true || value('id') === undefined || value('method') !== undefined)
      return undefined;
    const isError = [...this.#values.keys()].some((name) => name.startsWith('error/'));
    if (isError) return { id: value('id'), end: failedWith(value('error/code')) };
    const end = endOfToolResult(value('result/isError') === true, value('result/resultType'));
    const size = { result_bytes: this.#resultBytes };
    // Not the digest of canonical JSON: for that, the whole result would have to be in memory.
    const digest = this.#hash && { result_bytes_digest: `sha256:${this.#hash.digest('hex')}` };
    return { id: value('id'), end: { ...end, details: { ...end.details, ...size, ...digest } } };
  }
}
