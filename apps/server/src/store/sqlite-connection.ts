/** Kysely over one better-sqlite3 handle: a tiny driver that keeps statements prepared and refuses use outside its body. */
import type { Database, Statement } from 'better-sqlite3'
import {
  type CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  DummyDriver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Schema } from './schema.js'
import { StoreError } from './store-error.js'

const preparedLimit = 500
const adapter = new SqliteAdapter()
const compiler = new SqliteQueryCompiler()
const driver = new DummyDriver()
const dialect = {
  createAdapter: () => adapter,
  createDriver: () => driver,
  createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
  createQueryCompiler: () => compiler,
}

/** The right to use a handle; `isOpen` is false once the body it was made for has ended. */
export interface Scope {
  isOpen: boolean
}

/** A statement that answers rows as arrays, and what makes an object of one: half the price of better-sqlite3's own objects. */
interface RowStatement {
  readonly statement: Statement<unknown[]>
  readonly rowOf: (values: readonly unknown[]) => unknown
}

/** Statements of one handle, prepared once and kept by their text. */
export class PreparedStatements {
  readonly #bySql = new Map<string, Statement<unknown[]>>()
  readonly #rowsBySql = new Map<string, RowStatement>()
  #snapshot = { version: -1, identity: {} }
  constructor(readonly handle: Database) {}

  /** The same object until somebody else commits. To be asked inside a transaction of the handle. */
  snapshot(): object {
    const { data_version: version = -1 } = this.get('PRAGMA data_version').get() as { data_version?: number }
    if (version !== this.#snapshot.version) this.#snapshot = { version, identity: {} }
    return this.#snapshot.identity
  }

  get(sql: string): Statement<unknown[]> {
    const known = this.#bySql.get(sql)
    if (known) return known
    if (this.#bySql.size >= preparedLimit) this.#bySql.clear()
    const made = this.handle.prepare<unknown[]>(sql)
    this.#bySql.set(sql, made)
    return made
  }

  /** For a statement that answers rows. */
  rows(sql: string): RowStatement {
    const known = this.#rowsBySql.get(sql)
    if (known) return known
    if (this.#rowsBySql.size >= preparedLimit) this.#rowsBySql.clear()
    const statement = this.handle.prepare<unknown[]>(sql).raw()
    const made = { statement, rowOf: rowMaker(statement.columns().map(({ name }) => name)) }
    this.#rowsBySql.set(sql, made)
    return made
  }
}

/** Compiled, so that every row of a statement has one shape; only columns' names, quoted, become code. */
function rowMaker(columns: readonly string[]): RowStatement['rowOf'] {
  const fields = columns.map((name, index) => `${JSON.stringify(name)}: values[${index}]`)
  return new Function('values', `return { ${fields.join(', ')} }`) as RowStatement['rowOf']
}

/** What a body gets: prepared statements, and Kysely for whoever asks for it; making one costs as much as a statement. */
export class BodyReader<Hot> {
  #db: Kysely<Schema> | undefined

  constructor(
    private readonly statements: PreparedStatements,
    private readonly scope: Scope,
    readonly hot: Hot,
  ) {}

  get db(): Kysely<Schema> {
    this.#db ??= kyselyOver(this.statements, this.scope)
    return this.#db
  }
}

/** A Kysely whose statements run on `statements`' handle, as long as `scope` is open. */
function kyselyOver(statements: PreparedStatements, scope: Scope): Kysely<Schema> {
  const connection = connectionOver(statements, scope)
  const executor = new DefaultQueryExecutor(compiler, adapter, {
    provideConnection: (consumer) => consumer(connection),
  })
  return new Kysely<Schema>({ config: { dialect }, dialect, driver, executor })
}

/** Throws when the body that `scope` belongs to has ended. */
export function assertOpen(scope: Scope): void {
  if (!scope.isOpen)
    throw new StoreError('store_closed', 'a statement ran outside the body its reader or tx was given to')
}

function connectionOver(statements: PreparedStatements, scope: Scope): DatabaseConnection {
  return {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      assertOpen(scope)
      const statement = statements.get(query.sql)
      const parameters = query.parameters.map(bindable)
      if (statement.reader) return { rows: statement.all(...parameters) as R[] }
      const { changes, lastInsertRowid } = statement.run(...parameters)
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
    },
    streamQuery() {
      throw new StoreError('store_failed', 'this store does not stream queries')
    },
  }
}

/** SQLite has no booleans. */
function bindable(value: unknown): unknown {
  if (value === true) return 1
  if (value === false) return 0
  return value === undefined ? null : value
}
