/** Reads a request's body: JSON, or multipart with `payload_json` and `files[n]` (docs: Reference, "Uploading Files"). */
import type { IncomingMessage } from 'node:http';
import { ApiError } from './api-error.ts';

/** The largest request that Discord takes. */
const maxBodyBytes = 25 * 1024 * 1024;

/** A file that came with a message. */
export interface UploadedFile {
  /** The n of `files[n]`, by which `attachments[].id` refers to it. */
  readonly index: number;
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** A body, read and decoded; `json` is undefined when there was none. */
export interface RequestBody {
  readonly json: unknown;
  readonly files: readonly UploadedFile[];
}

/**
 * Reads at most `limitBytes`. As much again is read and dropped, so that the answer still reaches
 * the client over the same connection; beyond that the connection is destroyed.
 * @returns undefined when the body is larger
 */
export async function readBounded(
  request: IncomingMessage,
  limitBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    total += chunk.length;
    if (total <= limitBytes) chunks.push(chunk);
    else chunks.length = 0;
    if (total > limitBytes * 2) {
      request.destroy();
      return undefined;
    }
  }
  return total > limitBytes ? undefined : Buffer.concat(chunks);
}

/**
 * Reads and decodes the body.
 * @throws ApiError 40005 for one that is too large, 50109 for JSON or multipart that cannot be read
 */
export async function readRequestBody(request: IncomingMessage): Promise<RequestBody> {
  const bytes = await readBounded(request, maxBodyBytes);
  if (!bytes) throw new ApiError(40005);
  if (bytes.length === 0) return { json: undefined, files: [] };
  const contentType = request.headers['content-type'] ?? '';
  if (!contentType.startsWith('multipart/form-data')) {
    return { json: parseJson(bytes.toString('utf8')), files: [] };
  }
  return readMultipart(bytes, contentType);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(50109);
  }
}

async function readMultipart(bytes: Buffer, contentType: string): Promise<RequestBody> {
  const form = await parseForm(bytes, contentType);
  let json: unknown = {};
  const files: UploadedFile[] = [];
  for (const [name, value] of form) {
    if (name === 'payload_json' && typeof value === 'string') json = parseJson(value);
    const index = /^files?\[(\d{1,2})\]$/.exec(name)?.[1];
    if (index === undefined || typeof value === 'string') continue;
    files.push({
      index: Number(index),
      filename: value.name,
      contentType: value.type || 'application/octet-stream',
      bytes: new Uint8Array(await value.arrayBuffer()),
    });
  }
  return { json, files };
}

async function parseForm(bytes: Buffer, contentType: string): Promise<FormData> {
  try {
    const body = new Uint8Array(bytes);
    return await new Response(body, { headers: { 'content-type': contentType } }).formData();
  } catch {
    throw new ApiError(50109);
  }
}
