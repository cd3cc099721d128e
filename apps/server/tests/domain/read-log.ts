/** A piece of a log in memory, for tests. */
import { type OpenLog, openLog } from '../../src/domain/logs/read-log.js'

export async function readLog(
  ...input: Parameters<typeof openLog>
): Promise<Omit<OpenLog, 'bytes'> & { bytes: Buffer }> {
  const log = await openLog(...input)
  const pieces: Buffer[] = []
  for await (const piece of log.bytes) pieces.push(piece)
  return { ...log, bytes: Buffer.concat(pieces) }
}
