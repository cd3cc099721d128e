/** The terraform code of a planned workspace, and what its run must have shown and made. */
import { createHash } from 'node:crypto'
import { fakeConfiguration } from '@iac-agent/testkit'
import type { PlannedWorkspace, RealModule } from './workload.js'

/** HCL for a workspace's `tf_code`. */
export function moduleOf(module: PlannedWorkspace['module']): string {
  return 'fake' in module ? fakeConfiguration(module.fake) : realConfiguration(module.real)
}

/** The value of the workspace's sensitive variable `secret`, when its module has one. */
export function secretOf({ name, module }: PlannedWorkspace): string | undefined {
  if (!('fake' in module && module.fake.secret)) return undefined
  return createHash('sha256').update(name).digest('base64url')
}

/** One resource after the other, so that the ticks come in one order. */
function realConfiguration({ resources, ticks }: RealModule): string {
  const numbers = Array.from({ length: resources }, (_, index) => index + 1)
  return numbers
    .map((number) => {
      const after = number === 1 ? '' : `  depends_on = [terraform_data.r${number - 1}]\n`
      const command = `for i in $(seq ${ticks}); do echo tick ${number}.$i; sleep 0.1; done`
      return `resource "terraform_data" "r${number}" {\n${after}  provisioner "local-exec" { command = "${command}" }\n}\n`
    })
    .join('')
}

/** The ticks that a whole apply of it prints, in order. */
export function ticksOf({ resources, ticks }: RealModule): string[] {
  return Array.from(
    { length: resources * ticks },
    (_, index) => `${1 + Math.floor(index / ticks)}.${1 + (index % ticks)}`,
  )
}
