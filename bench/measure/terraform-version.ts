/** Which terraform the rivals ran. */
import { execa } from 'execa'

/** The first line that the terraform on PATH says of itself. */
export async function terraformVersion(): Promise<string> {
  const { stdout } = await execa('terraform', ['version'], { stdin: 'ignore' })
  return stdout.split('\n', 1)[0] ?? ''
}
