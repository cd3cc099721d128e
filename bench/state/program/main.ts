/** A terraform that posts states of a given size and says how long each took, beside writing the same bytes to a file itself. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import { stateText } from '../../measure/state-text.js'
import type { StateOrder } from '../order.js'
import { Backend } from './backend.js'
import { Notes } from './notes.js'
import { writeDurably } from './write-durably.js'

const [command = '', ...argv] = process.argv.slice(2)
const backend = new Backend(process.env)

switch (command) {
  case 'plan':
    await plan(orderHere())
    break
  case 'show':
    console.log(JSON.stringify(document()))
    break
  case 'apply':
    await apply(orderHere())
    break
}

async function plan(order: StateOrder): Promise<void> {
  const bytes = await backend.get()
  new Notes(order.directory).note({
    kind: 'got',
    begunAt: performance.timeOrigin,
    sizeBytes: bytes.length,
  })
  const file = argv.find((argument) => argument.startsWith('-out='))?.slice('-out='.length)
  if (file !== undefined) writeFileSync(file, 'plan\n')
  console.log('Plan: 1 to add, 0 to change, 0 to destroy.')
}

/** One state after the other; the next when the bench says that the one before has arrived. */
async function apply(order: StateOrder): Promise<void> {
  const notes = new Notes(order.directory)
  const { lineage } = JSON.parse(lineageOnly(await backend.get())) as { lineage: string }
  const bytes = Buffer.from(stateText(order.sizeBytes, { serial: order.firstSerial, lineage }))
  const digits = bytes.indexOf('"serial": ') + '"serial": '.length
  for (let serial = order.firstSerial; serial < order.firstSerial + order.states; serial++) {
    bytes.write(String(serial), digits)
    const md5 = createHash('md5').update(bytes).digest('base64')
    while (!existsSync(join(order.directory, `go-${serial}`))) await elapsed(5)
    const bareMs = await writeDurably(join(order.directory, 'bare.tfstate'), bytes)
    const { startedAt, ms } = await backend.post(bytes, md5)
    notes.note({ kind: 'posted', serial, startedAt, ms, bareMs })
  }
  console.log(JSON.stringify({ '@level': 'info', '@message': 'done', type: 'log' }))
}

function orderHere(): StateOrder {
  const texts = readdirSync('.')
    .filter((name) => name.endsWith('.tf'))
    .map((name) => readFileSync(name, 'utf8'))
  const json = texts.map((text) => /^# order: (.*)$/m.exec(text)?.[1]).find((found) => found !== undefined)
  if (json === undefined) throw new Error('no file here has a line "# order: {…}"')
  return JSON.parse(json) as StateOrder
}

/** The state may be large; what is wanted stands in its first bytes. */
function lineageOnly(bytes: Buffer): string {
  const found = /"lineage":\s*("[^"]*")/.exec(bytes.toString('latin1', 0, 4096))
  return `{"lineage":${found?.[1] ?? '""'}}`
}

function document(): object {
  const change = { actions: ['create'], before: null, after: {}, after_unknown: {} }
  const one = { address: 'a.b', mode: 'managed', type: 'a', name: 'b', provider_name: 'p', change }
  return { format_version: '1.2', applyable: true, resource_changes: [one] }
}
