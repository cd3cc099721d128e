/** Counts the statements that a program runs by better-sqlite3, if it has that. */
import { count, type Tally } from './tally.js'

/** Of the program, not of ours: resolved from where it lies. */
const sqlite = 'better-sqlite3'

interface Statement {
  readonly source: string
}

interface Database {
  prepare(sql: string): Statement
  exec(sql: string): unknown
  close(): unknown
}

/** @param require of the program under count */
export function countStatements({ statements }: { statements: Tally }, require: NodeJS.Require): void {
  if (!isInstalled(require)) return
  const Sqlite = require(sqlite) as { new (path: string): Database; prototype: Database }
  const probe = new Sqlite(':memory:')
  const prototype = Object.getPrototypeOf(probe.prepare('SELECT 1')) as Record<string, Run>
  probe.close()
  for (const name of ['run', 'get', 'all', 'iterate']) {
    const original = prototype[name] as Run
    prototype[name] = function (this: Statement, ...values) {
      count(statements, oneLine(this.source))
      return original.apply(this, values)
    }
  }
  const { exec } = Sqlite.prototype
  Sqlite.prototype.exec = function (sql) {
    count(statements, oneLine(sql))
    return exec.call(this, sql)
  }
}

type Run = (this: Statement, ...values: unknown[]) => unknown

function isInstalled(require: NodeJS.Require): boolean {
  try {
    require.resolve(sqlite)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return false
    throw error
  }
}

function oneLine(sql: string): string {
  return sql.replace(/\s+/g, ' ').trim()
}
