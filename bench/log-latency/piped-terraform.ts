/** A terraform whose plan prints what this process writes into its pipe, so that each line can carry the time it is printed at. */
import { constants, writeSync } from 'node:fs'
import { type FileHandle, mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { planScript } from '../measure/plan-script.js'

export class PipedTerraform {
  private constructor(
    /** For `--terraform-path`. */
    readonly program: string,
    private readonly pipes: string,
  ) {}

  static async layOut(directory: string): Promise<PipedTerraform> {
    const [program, pipes] = [join(directory, 'terraform'), join(directory, 'pipes')]
    await mkdir(pipes)
    await writeFile(program, planScript(`exec cat '${pipes}'/"\${PWD##*/}"`), { mode: 0o755 })
    return new PipedTerraform(program, pipes)
  }

  /** The way into the plan of this workspace, which need not run yet. */
  async pipe(workspaceId: string): Promise<Pipe> {
    const path = join(this.pipes, workspaceId)
    await execa('mkfifo', ['-m', '600', path])
    return new Pipe(await open(path, constants.O_RDWR)) // for reading too: else it would wait for the plan
  }
}

/** Dispose ends the plan. */
export class Pipe implements AsyncDisposable {
  constructor(private readonly file: FileHandle) {}

  /** With the plan's process when it returns; it must be less than the pipe has room for. */
  print(text: string): void {
    writeSync(this.file.fd, text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.file.close()
  }
}
