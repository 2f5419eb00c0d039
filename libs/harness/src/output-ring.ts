/** Keeps the last `maxBytes` of a process's output; what is older is let go. */
export class OutputRing {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  write(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    while (this.#bytes > this.#maxBytes) {
      const first = this.#chunks[0];
      if (!first) break;
      const surplus = this.#bytes - this.#maxBytes;
      if (first.byteLength <= surplus) {
        this.#chunks.shift();
        this.#bytes -= first.byteLength;
      } else {
        this.#chunks[0] = first.subarray(surplus);
        this.#bytes -= surplus;
      }
    }
  }

  /** What is kept, as text; the first character may be half of one. */
  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  /** The last `count` lines that are not empty. */
  lastLines(count: number): string {
    return this.text()
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-count)
      .join('\n');
  }
}
