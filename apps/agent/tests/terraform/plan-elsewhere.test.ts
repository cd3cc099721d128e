import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryDirectory } from '@iac-agent/testkit'
import { list } from 'tar'
import { describe, expect, it } from 'vitest'
import { applyArguments, initArguments, planArguments } from '../../src/terraform/commands.js'
import { forgetInit, initKey, isInitNeeded, rememberInit } from '../../src/terraform/init-cache.js'
import { packPlan, restorePlan, snapshotTree } from '../../src/terraform/plan-archive.js'
import { redactPlanJson } from '../../src/terraform/plan-json.js'
import { machine } from './_machine.js'

async function namesIn(archive: string): Promise<string[]> {
  const names: string[] = []
  await list({ file: archive, onReadEntry: ({ path }) => names.push(path) })
  return names.sort()
}

/** Applying reads a file that planning made, and the plan holds the absolute path. */
const readsWhatPlanningMade = `
resource "terraform_data" "a" {
  input = "\${path.cwd} 12345678901234567890"
  provisioner "local-exec" {
    command = "cat made/while-planning > applied"
  }
}
`

describe('a plan that is applied on another machine', () => {
  it('brings the files planning made, and applies with a read-only lock file', async () => {
    await using temporary = await temporaryDirectory()
    const archive = join(temporary.path, 'plan.tar.gz')
    {
      await using planner = await machine(temporary, 'planner', readsWhatPlanningMade)
      expect(await planner.terraform(initArguments())).toMatchObject({ exitCode: 0 })
      const before = JSON.parse(JSON.stringify(await snapshotTree(planner.workDir))) as Record<string, string>
      const planned = await planner.terraform(planArguments({ planFile: planner.planFile, mode: 'plan' }))
      expect(planned).toMatchObject({ exitCode: 0 })
      // What a data source that zips a directory does: a file appears, another changes.
      await mkdir(join(planner.workDir, 'made'))
      await writeFile(join(planner.workDir, 'made/while-planning'), 'by planning')
      await writeFile(join(planner.rootDir, '.terraform.lock.hcl'), '# locked\n')
      await packPlan({ ...planner, before, target: archive })
      expect((await stat(archive)).mode & 0o777).toBe(0o600)
      expect(await namesIn(archive)).toEqual(['plan.tfplan', 'work/.terraform.lock.hcl', 'work/made/while-planning'])
    }
    await using applier = await machine(temporary, 'applier', readsWhatPlanningMade)
    await restorePlan({ archive, workDir: applier.workDir, planFile: applier.planFile })
    expect(await readFile(join(applier.rootDir, '.terraform.lock.hcl'), 'utf8')).toBe('# locked\n')
    expect(await applier.terraform(initArguments({ lockfileReadonly: true }))).toMatchObject({ exitCode: 0 })
    const { exitCode, all } = await applier.terraform(applyArguments(applier.planFile))
    expect(all).toContain('Apply complete! Resources: 1 added')
    expect(exitCode).toBe(0)
    expect(await readFile(join(applier.rootDir, 'applied'), 'utf8')).toBe('by planning')
    const [state] = await applier.states()
    expect(await readFile(state?.path ?? '', 'utf8')).toContain(`${applier.workDir} 12345678901234567890`)
  })

  it('takes a file that planning changed, and leaves one it did not touch', async () => {
    await using temporary = await temporaryDirectory()
    await using planner = await machine(temporary, 'planner', 'resource "terraform_data" "a" {}\n')
    await writeFile(join(planner.workDir, 'same'), '1')
    await writeFile(join(planner.workDir, 'changed'), '1')
    await writeFile(planner.planFile, 'plan')
    const before = await snapshotTree(planner.workDir)
    await writeFile(join(planner.workDir, 'changed'), '2')
    await writeFile(join(planner.workDir, '@odd name'), '3')
    await mkdir(join(planner.workDir, '.terraform'))
    await writeFile(join(planner.workDir, '.terraform/cache'), '4')
    const archive = join(temporary.path, 'plan.tar.gz')
    await packPlan({ ...planner, before, target: archive })
    expect(await namesIn(archive)).toEqual(['plan.tfplan', 'work/@odd name', 'work/changed'])
    const planFile = join(temporary.path, 'restored/other-name')
    await restorePlan({ archive, workDir: planner.workDir, planFile })
    expect(await readFile(planFile, 'utf8')).toBe('plan')
  })
})

describe('plan-json', () => {
  it('keeps large numbers, masks what is sensitive, and counts', async () => {
    await using temporary = await temporaryDirectory()
    const configuration = `
variable "password" {
  sensitive = true
  default   = "hush hush"
}
resource "terraform_data" "a" {
  input = { secret = var.password, big = 12345678901234567890, open = "seen" }
}
output "o" {
  value     = var.password
  sensitive = true
}
`
    await using planner = await machine(temporary, 'planner', configuration)
    await planner.terraform(initArguments())
    await planner.terraform(planArguments({ planFile: planner.planFile, mode: 'plan' }))
    expect(await planner.show()).toMatchObject({ exitCode: 0, all: '' })
    const to = join(temporary.path, 'plan.json')
    expect(await redactPlanJson({ from: planner.jsonFile, to })).toEqual({
      add: 1,
      change: 0,
      destroy: 0,
      hasChanges: true,
    })
    expect((await stat(planner.jsonFile)).mode & 0o777).toBe(0o600)
    const text = await readFile(to, 'utf8')
    expect(text).toContain('12345678901234567890')
    expect(text).toContain('seen')
    // What is left is the default in the code itself, which is no value of the plan: the secret set covers it.
    expect(text.split('hush hush')).toHaveLength(2)
    await redactPlanJson({ from: planner.jsonFile, to, secrets: ['hush hush'] })
    expect(await readFile(to, 'utf8')).not.toContain('hush')
  })

  it('says that there is nothing to do', async () => {
    await using temporary = await temporaryDirectory()
    await using planner = await machine(temporary, 'planner', 'locals {\n  a = 1\n}\n')
    await planner.terraform(initArguments())
    await planner.terraform(planArguments({ planFile: planner.planFile, mode: 'plan' }))
    await planner.show()
    const to = join(temporary.path, 'plan.json')
    expect(await redactPlanJson({ from: planner.jsonFile, to })).toEqual({
      add: 0,
      change: 0,
      destroy: 0,
      hasChanges: false,
    })
  })
})

describe('init', () => {
  const builtin = 'resource "terraform_data" "a" {}\n'

  it('is needed once for all workspaces that use only what terraform has built in', async () => {
    await using temporary = await temporaryDirectory()
    {
      await using first = await machine(temporary, 'agent', builtin)
      const key = await initKey(await first.subject())
      expect(await isInitNeeded(await first.subject())).toBe(true)
      expect(await first.terraform(initArguments())).toMatchObject({ exitCode: 0 })
      await rememberInit(await first.subject(), key)
    }
    await using second = await machine(temporary, 'agent', `${builtin}output "o" {\n  value = 1\n}\n`)
    expect(await readdir(second.rootDir)).not.toContain('.terraform')
    expect(await isInitNeeded(await second.subject())).toBe(false)
    const { exitCode, all } = await second.terraform(planArguments({ planFile: second.planFile, mode: 'plan' }))
    expect(all).toContain('1 to add')
    expect(exitCode).toBe(0)
  })

  it('is skipped while nothing it reads has changed, and then puts the lock file back', async () => {
    await using temporary = await temporaryDirectory()
    const withModule = 'module "m" {\n  source = "./m"\n}\n'
    await using agent = await machine(temporary, 'agent', withModule)
    await mkdir(join(agent.rootDir, 'm'))
    await writeFile(join(agent.rootDir, 'm/main.tf'), builtin)
    const subject = await agent.subject()
    const key = await initKey(subject)
    expect(await isInitNeeded(subject)).toBe(true)
    expect(await agent.terraform(initArguments())).toMatchObject({ exitCode: 0 })
    await writeFile(join(agent.rootDir, '.terraform.lock.hcl'), '# made by init\n')
    await rememberInit(subject, key)
    await rm(join(agent.rootDir, '.terraform.lock.hcl'))
    expect(await isInitNeeded(subject)).toBe(false)
    expect(await readFile(join(agent.rootDir, '.terraform.lock.hcl'), 'utf8')).toBe('# made by init\n')
    await rm(join(agent.rootDir, '.terraform.lock.hcl'))
    expect(await agent.terraform(planArguments({ planFile: agent.planFile, mode: 'plan' }))).toMatchObject({
      exitCode: 0,
    })

    await writeFile(join(agent.rootDir, 'm/more.tf'), 'output "o" {\n  value = 1\n}\n')
    expect(await isInitNeeded(subject)).toBe(true)
    await rm(join(agent.rootDir, 'm/more.tf'))
    expect(await isInitNeeded(subject)).toBe(false)
    expect(await isInitNeeded({ ...subject, version: '1.11.5' })).toBe(true)
    await writeFile(join(agent.rootDir, 'data.txt'), 'not read by init')
    expect(await isInitNeeded(subject)).toBe(false)
    await forgetInit(agent.rootDir)
    expect(await isInitNeeded(subject)).toBe(true)
  })

  it('is needed again when the CLI configuration has changed', async () => {
    await using temporary = await temporaryDirectory()
    await using agent = await machine(temporary, 'agent', 'module "m" {\n  source = "./m"\n}\n')
    const cliConfigFile = join(temporary.path, 'terraformrc')
    await writeFile(cliConfigFile, '')
    const subject = { ...(await agent.subject()), cliConfigFile }
    const key = await initKey(subject)
    await mkdir(join(agent.rootDir, '.terraform'))
    await writeFile(join(agent.rootDir, '.terraform/terraform.tfstate'), '{}')
    await rememberInit(subject, key)
    expect(await isInitNeeded(subject)).toBe(false)
    await writeFile(cliConfigFile, 'provider_installation {}')
    expect(await isInitNeeded(subject)).toBe(true)
  })
})
