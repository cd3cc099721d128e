/** A terraform whose plan prints a file over and over as fast as `cat` can, and notes how long that took it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { planScript } from '../measure/plan-script.js'

/** One printing, by the printer's own clock; epoch ms. */
export interface Printed {
  readonly from: number
  readonly to: number
}

export class BlockPrinter {
  private constructor(
    /** For `--terraform-path`. */
    readonly program: string,
    private readonly notes: string,
  ) {}

  /** @param block what it prints, as often as the module's line `# blocks: N` says */
  static async layOut(directory: string, block: Uint8Array): Promise<BlockPrinter> {
    const [program, text, notes] = [join(directory, 'terraform'), join(directory, 'block'), join(directory, 'notes')]
    await mkdir(notes)
    await writeFile(text, block)
    await writeFile(program, planScript(printBlocks(text, notes)), { mode: 0o755 })
    return new BlockPrinter(program, notes)
  }

  /** The printings since the last call, in no order. */
  async take(): Promise<Printed[]> {
    const names = await readdir(this.notes)
    const notes = await Promise.all(names.map((name) => readFile(join(this.notes, name), 'utf8')))
    await Promise.all(names.map((name) => rm(join(this.notes, name))))
    return notes.map((note) => {
      const [from = Number.NaN, to = Number.NaN] = note.trim().split(' ').map(Number)
      return { from: from / 1e6, to: to / 1e6 }
    })
  }

  /** Prints into plain files at once, as a shell's `>>` would. Answers the milliseconds it took, on average. */
  async printInto(files: readonly string[], blocks: number): Promise<number> {
    await Promise.all(files.map((file) => this.#run(file, blocks)))
    const printed = await this.take()
    return printed.reduce((sum, { from, to }) => sum + to - from, 0) / printed.length
  }

  async #run(file: string, blocks: number): Promise<void> {
    const module = `${file}-module`
    await mkdir(module)
    await writeFile(join(module, 'main.tf'), moduleOf(blocks))
    const output = await open(file, 'a')
    try {
      const child = spawn(this.program, ['plan'], { cwd: module, stdio: ['ignore', output.fd, output.fd] })
      const [code] = (await once(child, 'exit')) as [number | null]
      if (code !== 0) throw new Error(`the printer ended with ${code}`)
    } finally {
      await output.close()
      await rm(module, { recursive: true })
    }
  }
}

/** The module that lets it print `blocks` blocks. */
export function moduleOf(blocks: number): string {
  return `# blocks: ${blocks}\nvariable "secret" {\n  type      = string\n  sensitive = true\n}\n`
}

/** As many of the block as the module wants, by one cat; its beginning and end are noted. */
function printBlocks(block: string, notes: string): string {
  return `blocks=$(sed -n 's/^# blocks: //p' ./*.tf)
    set --
    while [ $# -lt "$blocks" ]; do set -- "$@" '${block}'; done
    from=$(date +%s%N)
    cat "$@"
    to=$(date +%s%N)
    echo "$from $to" >'${notes}'/$$`
}
