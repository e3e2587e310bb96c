import type { Writable } from 'node:stream';

/** Writes text and waits while the reader is behind, so that a slow pipe does not fill the memory. */
export async function writeText(stream: Writable, text: string): Promise<void> {
  if (stream.write(text) || stream.destroyed) return;
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      stream.off('drain', finish);
      stream.off('close', finish);
      resolve();
    };
    stream.on('drain', finish);
    stream.on('close', finish);
  });
}

export async function writeLine(stream: Writable, line: string): Promise<void> {
  await writeText(stream, `${line}\n`);
}

/** One JSON document, indented for people. */
export async function writeJson(stream: Writable, value: unknown): Promise<void> {
  await writeLine(stream, JSON.stringify(value, null, 2));
}
