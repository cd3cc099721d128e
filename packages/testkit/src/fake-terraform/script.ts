/** What a configuration tells the fake terraform to do: one line `# fake: {json}` in a `.tf` file of the root module. */

/** All members may be left out. */
export interface FakeScript {
  /** Lines that plan and apply each print besides terraform's own. Default 0. */
  lines: number
  /** As many of a plan instead. */
  planLines?: number
  /** Length of such a line, at least; bytes. Default 80. */
  lineBytes: number
  /** Wait before each of them, or before each batch. Default 0. */
  linePauseMs: number
  /** As many prints go into one write(2), and into one record of the oracle. Default 1. */
  batch: number
  /** Instances of `terraform_data.<name>` that there should be; with none missing or left over there is nothing to apply. Default 1. */
  resources: number
  /** Default `r`; another name replaces all of them. */
  name: string
  /** Each tenth of the lines shows the terraform variable `secret`, which the workspace must have as a sensitive one. */
  secret: boolean
  /** The command that fails: an apply at its last resource. */
  fail: 'plan' | 'apply' | false
  /** The command that hangs until it is killed; it tells each interrupt in terraform's words and does not end by it. */
  stubborn: 'plan' | 'apply' | false
}

const defaults: FakeScript = {
  lines: 0,
  lineBytes: 80,
  linePauseMs: 0,
  batch: 1,
  resources: 1,
  name: 'r',
  secret: false,
  fail: false,
  stubborn: false,
}

/** HCL text for a workspace's `tf_code` or a file of its tree. */
export function fakeConfiguration(script: Partial<FakeScript>): string {
  const variable = script.secret ? 'variable "secret" {\n  type      = string\n  sensitive = true\n}\n' : ''
  return `# fake: ${JSON.stringify(script)}\n${variable}`
}

/** The script in a text of HCL; undefined when it has none. @throws SyntaxError */
export function readScript(hcl: string): FakeScript | undefined {
  const json = /^# fake: (.*)$/m.exec(hcl)?.[1]
  return json === undefined ? undefined : { ...defaults, ...(JSON.parse(json) as Partial<FakeScript>) }
}
