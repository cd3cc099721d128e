/** A write that is whole when it resolves. */
import type { FileHandle } from 'node:fs/promises'

/** Writes all of `bytes` at `position`. @throws the disk's error; the same again from the start is right then */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}
