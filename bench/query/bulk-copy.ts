import pg from 'pg';
import { CopyPipeline } from '../../packages/server/src/store/copy-pipeline.ts';

/** Characters that are sent at once. */
const chunkLength = 256 * 1024;

/** Fills one table after another by COPY, on a connection of its own. */
export class BulkCopy {
  readonly #client: pg.Client;
  #copy: { readonly text: string; readonly pipeline: CopyPipeline } | undefined;
  #rows = '';

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /** @param ownerUrl of the owner, whose rows no trigger looks at */
  static async connect(ownerUrl: string): Promise<BulkCopy> {
    const client = new pg.Client(ownerUrl);
    await client.connect();
    await client.query('set session_replication_role = replica');
    return new BulkCopy(client);
  }

  /** @param copy `copy … from stdin`: rows of another table end the COPY of the one before */
  async write(copy: string, rows: string): Promise<void> {
    if (this.#copy?.text !== copy) {
      await this.#finish();
      this.#copy = { text: copy, pipeline: new CopyPipeline([], copy, '', options) };
      this.#client.query(this.#copy.pipeline);
    }
    this.#rows += rows;
    if (this.#rows.length >= chunkLength) await this.#send();
  }

  async close(): Promise<void> {
    await this.#finish();
    await this.#client.end();
  }

  async #send(): Promise<void> {
    const rows = this.#rows;
    this.#rows = '';
    if (rows !== '' && !(await this.#copy!.pipeline.write(rows))) await this.#copy!.pipeline.done;
  }

  async #finish(): Promise<void> {
    if (this.#copy === undefined) return;
    await this.#send();
    await this.#copy.pipeline.finish([]);
    this.#copy = undefined;
  }
}

const options = { types: pg.types, onProgress: () => undefined };
