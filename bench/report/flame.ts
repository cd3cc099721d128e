/** A V8 CPU profile (`node --cpu-prof`) as a flame picture: a frame's width is its share of the busy time, callers stand on top. */
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What `--cpu-prof` writes, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  /** microseconds since the sample before */
  readonly timeDeltas: readonly number[]
}

interface Frame {
  readonly name: string
  readonly children: Map<string, Frame>
  microseconds: number
}

const width = 1_200
const rowHeight = 17
const top = 44
/** Narrower frames are left out, with what they call. */
const narrowest = 2

/** `root`: paths are shown relative to it. */
export function flame(title: string, profile: CpuProfile, root: string): string {
  const tree = busyTree(profile, root)
  const boxes: string[] = []
  const depth = draw(tree, { x: 0, row: 0, perMicrosecond: width / Math.max(1, tree.microseconds) }, boxes)
  const height = top + (depth + 1) * rowHeight + 8
  const busy = `${(tree.microseconds / 1e6).toFixed(1)} s of CPU time, garbage collection and native code included`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, monospace" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="8" y="18" font-size="14" font-weight="600">${escaped(title)}</text>`,
    `<text x="8" y="35" fill="#5b6b7b">${escaped(busy)}</text>`,
    ...boxes,
    '</svg>',
    '',
  ].join('\n')
}

/** Calls merged by name and place; idle time is left out. */
function busyTree(profile: CpuProfile, root: string): Frame {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const self = new Map<number, number>()
  profile.samples.forEach((id, index) => {
    self.set(id, (self.get(id) ?? 0) + Math.max(0, profile.timeDeltas[index] ?? 0))
  })
  const merge = (id: number, into: Frame): number => {
    const node = nodes.get(id)
    if (node === undefined || node.callFrame.functionName === '(idle)') return 0
    const name = nameOf(node.callFrame, root)
    const frame = into.children.get(name) ?? { name, children: new Map(), microseconds: 0 }
    into.children.set(name, frame)
    const total = (node.children ?? []).reduce((sum, child) => sum + merge(child, frame), self.get(id) ?? 0)
    frame.microseconds += total
    return total
  }
  const all: Frame = { name: 'all', children: new Map(), microseconds: 0 }
  const first = profile.nodes[0]
  for (const child of first?.children ?? []) all.microseconds += merge(child, all)
  return all
}

function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame'], root: string): string {
  const name = functionName || '(anonymous)'
  if (url === '') return name
  const path = url.startsWith('file:') ? relative(root, fileURLToPath(url)) : url
  return `${name} ${path.replace(/^(\.\.\/)+/, '').replace(/^.*node_modules\//, '')}:${lineNumber + 1}`
}

/** Answers the deepest row below this frame. */
function draw(frame: Frame, at: { x: number; row: number; perMicrosecond: number }, boxes: string[]): number {
  const { x, row, perMicrosecond } = at
  const wide = frame.microseconds * perMicrosecond
  if (wide < narrowest) return row - 1
  const y = top + row * rowHeight
  const share = ((100 * wide) / width).toFixed(1)
  boxes.push(
    `<g><title>${escaped(frame.name)} ${share} %</title><rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0, wide - 0.5).toFixed(1)}" height="${rowHeight - 1}" rx="1" fill="${colour(frame.name)}"/>${label(frame.name, x, y, wide)}</g>`,
  )
  let deepest = row
  let left = x
  const children = [...frame.children.values()].sort((one, other) => other.microseconds - one.microseconds)
  for (const child of children) {
    deepest = Math.max(deepest, draw(child, { x: left, row: row + 1, perMicrosecond }, boxes))
    left += child.microseconds * perMicrosecond
  }
  return deepest
}

function label(name: string, x: number, y: number, wide: number): string {
  const fits = Math.floor((wide - 6) / 6.7)
  return fits < 3 ? '' : `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escaped(name.slice(0, fits))}</text>`
}

/** Ours warm, packages and Node itself cool, the engine grey. */
function colour(name: string): string {
  if (name.startsWith('(')) return '#c9d1d9'
  if (/ (node:|[^ ]*node_modules)/.test(name)) return '#a9cbe8'
  return '#f2b880'
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
