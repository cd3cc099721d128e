/** The block structure of HCL text: which blocks stand where, which attributes are plain strings, which words its expressions use. */
import { type HclToken, hclTokens } from './hcl-tokens.js'

export interface HclBlock {
  /** Types of the blocks around it and its own, outermost first: `['terraform', 'backend']`. */
  readonly path: readonly string[]
  readonly labels: readonly string[]
  readonly line: number
  /** Attributes whose value begins with a string. */
  readonly strings: Map<string, string>
}

export interface HclWord {
  readonly text: string
  readonly line: number
}

export interface HclStructure {
  readonly blocks: readonly HclBlock[]
  readonly words: readonly HclWord[]
}

/** Reads a file's structure; of text that is not HCL, what can be seen. */
export function hclStructure(text: string): HclStructure {
  const tokens = hclTokens(text)
  const blocks: HclBlock[] = []
  /** Open brackets; a block for a body, undefined for brackets inside an expression. */
  const open: (HclBlock | undefined)[] = []
  let header: HclToken[] = []
  let expressionDepth: number | undefined
  for (const token of tokens) {
    const isInBody = expressionDepth === undefined && (open.length === 0 || open.at(-1) !== undefined)
    if (token.kind === 'newline') {
      header = []
      if (expressionDepth === open.length) expressionDepth = undefined
    } else if (isInBody && token.text === '=' && token.kind === 'mark') expressionDepth = open.length
    else if (isInBody && token.text === '{' && token.kind === 'mark' && header.length > 0) {
      const block = blockOf(header, open.at(-1))
      blocks.push(block)
      open.push(block)
      header = []
    } else if (token.kind === 'mark' && '{[('.includes(token.text)) {
      expressionDepth ??= open.length
      open.push(undefined)
    } else if (token.kind === 'mark' && '}])'.includes(token.text)) {
      open.pop()
      if (expressionDepth !== undefined && expressionDepth > open.length) expressionDepth = undefined
    } else if (isInBody) header.push(token)
    else if (token.kind === 'string' && header.length === 1 && expressionDepth === open.length) {
      open.at(-1)?.strings.set(header[0]?.text ?? '', token.text)
      header = []
    }
  }
  return { blocks, words: tokens.filter((token) => token.kind === 'word') }
}

function blockOf(header: HclToken[], parent: HclBlock | undefined): HclBlock {
  const [type, ...labels] = header
  return {
    path: [...(parent?.path ?? []), type?.text ?? ''],
    labels: labels.map((label) => label.text),
    line: type?.line ?? 1,
    strings: new Map(),
  }
}
