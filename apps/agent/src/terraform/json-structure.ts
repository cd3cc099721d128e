/** Reads a `.tf.json` file into the same structure as HCL text, with the lines of what matters. */
import type { HclBlock, HclStructure, HclWord } from './hcl-blocks.js'

/** Block types with labels, and how many; of the rest the value itself is the body. */
const labelled: Record<string, number> = {
  resource: 2,
  data: 2,
  ephemeral: 2,
  action: 2,
  module: 1,
  provider: 1,
  variable: 1,
  output: 1,
  backend: 1,
}
const bodies = new Set(['terraform', 'cloud', 'required_providers', 'locals', 'check', 'import', 'moved', 'removed'])

/** A file that is not JSON has no structure: terraform is the one to say so. */
export function jsonStructure(text: string): HclStructure {
  const blocks: HclBlock[] = []
  const root = documentOf(text)
  if (root !== undefined) collect(root, [], text, blocks)
  return { blocks, words: wordsIn(text) }
}

function documentOf(text: string): Record<string, unknown> | undefined {
  try {
    return objectOf(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function collect(body: Record<string, unknown>, path: readonly string[], text: string, blocks: HclBlock[]): void {
  for (const [type, value] of Object.entries(body)) {
    const labels = labelled[type]
    if (labels === undefined && !bodies.has(type)) continue
    for (const found of labelledBodies(value, labels ?? 0)) {
      const block = blockOf([...path, type], found.labels, found.body, text)
      blocks.push(block)
      if (type === 'terraform') collect(found.body, block.path, text, blocks)
    }
  }
}

interface LabelledBody {
  readonly labels: readonly string[]
  readonly body: Record<string, unknown>
}

/** Peels `count` labels off; each level may be one object or a list of them. */
function labelledBodies(value: unknown, count: number): LabelledBody[] {
  const values: unknown[] = Array.isArray(value) ? value : [value]
  const objects = values.map(objectOf).filter((one) => one !== undefined)
  if (count === 0) return objects.map((body) => ({ labels: [], body }))
  return objects.flatMap((object) =>
    Object.entries(object).flatMap(([label, inner]) =>
      labelledBodies(inner, count - 1).map(({ labels, body }) => ({ labels: [label, ...labels], body })),
    ),
  )
}

function blockOf(path: string[], labels: readonly string[], body: Record<string, unknown>, text: string): HclBlock {
  const strings = Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return { path, labels, line: lineOf(text, path.at(-1) ?? ''), strings: new Map(strings) }
}

/** The line of the first member of that name. */
function lineOf(text: string, member: string): number {
  const place = text.search(new RegExp(`"${member}"\\s*:`))
  return place === -1 ? 1 : text.slice(0, place).split('\n').length
}

/** `terraform.workspace` and the like inside `${…}`; a string of JSON is on one line. */
function wordsIn(text: string): HclWord[] {
  return text
    .split('\n')
    .flatMap((content, index) =>
      [...content.matchAll(/(?<!\$)[$%]\{([^}]*)/g)].flatMap(([, code = '']) =>
        [...code.matchAll(/[a-z_]\w*(?:\.[a-z_]\w*)*/gi)].map(([word]) => ({ text: word, line: index + 1 })),
      ),
    )
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
