/** Splits HCL text into words, strings and punctuation with their lines; comments and literal text in templates are left out. */

export type HclToken =
  /** An identifier or a dotted path such as `terraform.workspace`. */
  | { readonly kind: 'word'; readonly text: string; readonly line: number }
  /** A quoted string or heredoc; `text` is its literal part. What it interpolates follows as tokens between `(` and `)`. */
  | { readonly kind: 'string'; readonly text: string; readonly line: number }
  | { readonly kind: 'mark'; readonly text: string; readonly line: number }
  | { readonly kind: 'newline'; readonly text: '\n'; readonly line: number }

const wordPattern = /[\p{ID_Start}_][\p{ID_Continue}-]*(?:\.[\p{ID_Start}_][\p{ID_Continue}-]*)*/uy
const heredocPattern = /<<-?([\p{ID_Start}_][\p{ID_Continue}-]*)[ \t]*\r?\n/uy

/** Tokens of a whole file. Text that is not HCL gives some tokens, never an error: terraform is the one to judge it. */
export function hclTokens(text: string): HclToken[] {
  return new Tokenizer(text).run()
}

class Tokenizer {
  private at = 0
  private line = 1
  private readonly tokens: HclToken[] = []

  constructor(private readonly text: string) {}

  run(): HclToken[] {
    while (this.at < this.text.length) this.expression()
    return this.tokens
  }

  /** Reads code up to the `}` that closes it (an interpolation) or the end of the text. */
  private expression(): void {
    let depth = 0
    while (this.at < this.text.length) {
      const c = this.text.charAt(this.at)
      if (c === '}' && depth === 0) {
        this.mark(c)
        return
      }
      if (c === '{') depth++
      if (c === '}') depth--
      this.token(c)
    }
  }

  private token(c: string): void {
    if (c === '\n') this.push({ kind: 'newline', text: '\n', line: this.line++ }, 1)
    else if (c === '#' || this.text.startsWith('//', this.at)) this.skipTo(this.indexOf('\n'))
    else if (this.text.startsWith('/*', this.at)) this.skipTo(this.indexOf('*/', 2) + 2)
    else if (c === '"') this.quoted()
    else if (c === '<' && this.heredoc()) return
    else if (!this.word()) this.mark(c)
  }

  private word(): boolean {
    const word = matchAt(wordPattern, this.text, this.at)
    if (word === undefined) return false
    this.push({ kind: 'word', text: word[0], line: this.line }, word[0].length)
    return true
  }

  private quoted(): void {
    this.at++
    this.template(() => {
      if (this.text.charAt(this.at) === '\n') return true // not closed on its line: not HCL
      if (this.text.charAt(this.at) !== '"') return false
      this.at++
      return true
    }, true)
  }

  private heredoc(): boolean {
    const opening = matchAt(heredocPattern, this.text, this.at)
    if (opening === undefined) return false
    this.skipTo(this.at + opening[0].length)
    const closing = new RegExp(`[ \\t]*${opening[1]}[ \\t]*(?=\\r?\\n|$)`, 'uy')
    this.template(() => {
      if (this.text.charAt(this.at - 1) !== '\n') return false
      const end = matchAt(closing, this.text, this.at)
      if (end !== undefined) this.at += end[0].length
      return end !== undefined
    }, false)
    return true
  }

  /** Literal text with `${…}` and `%{…}` in it, until `isOver` has taken the closing delimiter. */
  private template(isOver: () => boolean, hasEscapes: boolean): void {
    const line = this.line
    const place = this.tokens.length
    let literal = ''
    while (this.at < this.text.length && !isOver()) {
      const two = this.text.slice(this.at, this.at + 2)
      if (two === '${' || two === '%{') this.interpolation()
      else {
        const isEscape = (hasEscapes && two.startsWith('\\')) || /^(\$\$|%%)$/.test(two)
        const taken = isEscape ? two : two.charAt(0)
        literal += taken
        this.skipTo(this.at + taken.length)
      }
    }
    this.tokens.splice(place, 0, { kind: 'string', text: literal, line })
  }

  private interpolation(): void {
    this.at++
    this.tokens.push({ kind: 'mark', text: '(', line: this.line })
    this.at++
    this.expression()
    this.tokens.pop()
    this.tokens.push({ kind: 'mark', text: ')', line: this.line })
  }

  private mark(c: string): void {
    if (/\s/.test(c)) this.at++
    else this.push({ kind: 'mark', text: c, line: this.line }, 1)
  }

  private push(token: HclToken, length: number): void {
    this.tokens.push(token)
    this.at += length
  }

  private indexOf(what: string, from = 0): number {
    const found = this.text.indexOf(what, this.at + from)
    return found === -1 ? this.text.length : found
  }

  private skipTo(end: number): void {
    const stop = Math.min(end, this.text.length)
    for (; this.at < stop; this.at++) if (this.text.charAt(this.at) === '\n') this.line++
  }
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at
  return pattern.exec(text) ?? undefined
}
