/** `pnpm bench`: argv to benches, their tables to stdout, their JSON and pictures into a folder. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { machine, repositoryRoot } from '@iac-agent/testkit'
import { benches } from './benches.js'
import { realDiskDirectory } from './measure/real-disk.js'
import { terraformVersion } from './measure/terraform-version.js'
import { servePeer } from './peers/peer.js'
import { peers } from './peers/peers.js'
import { type Report, reportOf } from './report/report.js'
import { table } from './report/table.js'
import { writeTablesPage } from './report/tables-page.js'
import { writeFlames } from './report/write-flames.js'
import { writeReport } from './report/write-report.js'

const help = `Measures the hot paths of the built server and agent, each against a limit or rival measured in the same run.

  pnpm bench [NAME ...] [--full] [--profile] [--out DIRECTORY] [--json]

  NAME             only these (default: all): ${Object.keys(benches).join(', ')}
  --full           also the rows that take long by nature
  --profile        also a flame picture of the server and of the busiest agent: NAME-server-flame.svg, NAME-agent-flame.svg;
                   the figures are then those of profiled programs
  --out DIRECTORY  takes NAME.json and NAME.svg of each bench, and all of them as tables.md (default: bench/results)
  --json           the reports as one JSON document on stdout instead of tables; progress goes to stderr either way

Examples:
  $ pnpm bench
  $ pnpm bench overhead --full
  $ pnpm bench api state --out docs/performance

Exit code 0: every target met. 1: a target missed, or a bench that broke. 2: wrong usage.`

process.exitCode = await main()

async function main(): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130)) // what was started ends with us
  if (process.argv[2] === 'peer') return await runPeer(process.argv[3] ?? '', process.argv[4] ?? '')
  const options = readOptions()
  if (typeof options === 'string') {
    console.error(options)
    return 2
  }
  if (options.help) {
    console.log(help)
    return 0
  }
  const reports: Report[] = []
  let isBroken = false
  for (const name of options.names) {
    try {
      const report = await runBench(name, options)
      reports.push(report)
      await writeReport(options.out, report)
      if (!options.json) show(report)
    } catch (error) {
      isBroken = true
      console.error(`${name} broke:`, error)
    }
  }
  await writeTablesPage(options.out, Object.keys(benches))
  if (options.json) console.log(JSON.stringify(reports, null, 2))
  const verdicts = reports.flatMap(({ rows }) => rows.map(({ verdict }) => verdict))
  const missed = verdicts.filter((verdict) => verdict === 'missed').length
  const met = verdicts.filter((verdict) => verdict === 'met').length
  console.error(`${met} targets met, ${missed} missed; JSON and pictures in ${options.out}`)
  return isBroken || missed > 0 ? 1 : 0
}

interface RunOptions {
  readonly full: boolean
  readonly profile: boolean
  readonly out: string
}

async function runPeer(name: string, argument: string): Promise<number> {
  const load = peers[name]
  if (load === undefined) throw new Error(`there is no peer "${name}"`)
  await servePeer(await load(), argument)
  return 0
}

async function runBench(name: string, { full, profile, out }: RunOptions): Promise<Report> {
  const bench = await benches[name]?.()
  if (bench === undefined) throw new Error(`there is no bench "${name}"`)
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  const say = (line: string) => console.error(`${name.padEnd(14)} ${seconds().toFixed(0).padStart(4)} s  ${line}`)
  const directory = await realDiskDirectory(`iac-bench-${name}-`)
  const profiles = await realDiskDirectory('iac-bench-profiles-')
  try {
    if (profile) process.env.IAC_PROFILE_DIR = profiles
    const rows = await bench.run({ isFull: full, directory, say })
    await writeFlames(out, name, profiles, repositoryRoot())
    return reportOf(bench, rows, { machine: machine(), terraform: await terraformVersion(), seconds: seconds() })
  } finally {
    for (const path of [directory, profiles]) await rm(path, { recursive: true, maxRetries: 3 })
  }
}

function show({ name, what, limit, seconds, rows }: Report): void {
  console.log(`\n${name}: ${what}\nagainst: ${limit}\n\n${table(rows)}\n\n${seconds.toFixed(1)} s`)
}

/** A sentence when they are wrong. */
function readOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        full: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
        out: { type: 'string', default: join(repositoryRoot(), 'bench', 'results') },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    const unknown = positionals.find((name) => benches[name] === undefined)
    if (unknown !== undefined) throw new Error(`there is no bench "${unknown}"`)
    return { ...values, names: positionals.length > 0 ? positionals : Object.keys(benches) }
  } catch (error) {
    return `${(error as Error).message} (see --help)`
  }
}
