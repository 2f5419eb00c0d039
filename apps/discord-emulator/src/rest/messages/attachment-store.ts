/** Files of messages: kept so that their URLs can be fetched, bounded in bytes. */
import type { SnowflakeMaker } from '../../core/snowflake.ts';
import type { UploadedFile } from '../request-body.ts';

/** Bytes of all files kept; the oldest go. More only matters to a test that fetches old files. */
const maxStoredBytes = 64 * 1024 * 1024;

/** A kept file. */
export interface StoredFile {
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

export class AttachmentStore {
  readonly #snowflakes: SnowflakeMaker;
  readonly #baseUrl: () => string;
  readonly #files = new Map<string, StoredFile>();
  #storedBytes = 0;

  /** @param baseUrl where the people's door is, known once the server listens */
  constructor(snowflakes: SnowflakeMaker, baseUrl: () => string) {
    this.#snowflakes = snowflakes;
    this.#baseUrl = baseUrl;
  }

  /** Keeps the files of a message. @returns their attachment objects */
  keep(
    files: readonly UploadedFile[],
    described: readonly {
      readonly id: string;
      readonly filename?: string | undefined;
      readonly description?: string | null | undefined;
    }[],
  ): Readonly<Record<string, unknown>>[] {
    return files.map((file) => {
      const about = described.find(({ id }) => id === String(file.index));
      const id = this.#snowflakes.next();
      const filename = about?.filename ?? file.filename;
      this.#add(id, { filename, contentType: file.contentType, bytes: file.bytes });
      const url = `${this.#baseUrl()}/people/attachments/${id}/${encodeURIComponent(filename)}`;
      return {
        id,
        filename,
        size: file.bytes.length,
        url,
        proxy_url: url,
        content_type: file.contentType,
        ...(about?.description ? { description: about.description } : {}),
      };
    });
  }

  /** @returns undefined when there was no such file, or when it had to go */
  get(id: string): StoredFile | undefined {
    return this.#files.get(id);
  }

  #add(id: string, file: StoredFile): void {
    this.#files.set(id, file);
    this.#storedBytes += file.bytes.length;
    for (const [oldestId, oldest] of this.#files) {
      if (this.#storedBytes <= maxStoredBytes) return;
      this.#files.delete(oldestId);
      this.#storedBytes -= oldest.bytes.length;
    }
  }
}
