/** How long a file is. */
import { stat } from 'node:fs/promises'

/** Bytes; 0 when the file is not there. */
export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw cause
  }
}
