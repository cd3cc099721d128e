/**
 * Runs in a built program before its own code (`node --import`): counts what it asks of disk, processes and SQLite at the very calls,
 * and tells the counts to whoever connects to the socket that COUNTERS_SOCKET names.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { createServer } from 'node:net'
import type { Counts } from './counts.js'
import { countDisk } from './disk.js'
import { countProcesses } from './processes.js'
import { countStatements } from './statements.js'

const counts = { syncs: {}, processes: {}, bytesRead: {}, statements: {} } satisfies Counts

await countDisk(counts)
countProcesses(counts)
countStatements(counts, createRequire(process.argv[1] ?? ''))
syncBuiltinESMExports() // what was imported by name is counted too

createServer((socket) => socket.end(JSON.stringify(counts)))
  .listen(process.env.COUNTERS_SOCKET)
  .unref()
delete process.env.COUNTERS_SOCKET
