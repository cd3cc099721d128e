import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataResource, DataVariable, TfCode } from '@iac-agent/protocol'
import { packTree, temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { scanConfiguration } from '../../src/terraform/backend-block.js'
import { type ConfigurationRequest, writeConfiguration } from '../../src/terraform/configuration.js'
import { writeVariables } from '../../src/terraform/variables.js'

const resource = (name: string, tf_code: TfCode): DataResource => ({
  id: name,
  resource_type: 'terraform_data',
  resource_name: name,
  current_version: { version: 1, tf_code, created_at: '2026-01-01T00:00:00Z' },
})
const variable = (key: string, value: string, more: Partial<DataVariable> = {}): DataVariable => ({
  key,
  value,
  category: 'terraform',
  sensitive: false,
  hcl: false,
  ...more,
})

interface Input {
  tf_code?: TfCode
  provider_config?: TfCode
  working_directory?: string
  resources?: DataResource[]
  /** The uploaded tree: path -> text. */
  tree?: Record<string, string>
}

async function write(directory: string, { tree, resources = [], ...workspace }: Input) {
  const workDir = join(directory, 'work')
  await mkdir(workDir)
  const request: ConfigurationRequest = {
    workDir,
    workspace: { tf_code: null, provider_config: null, working_directory: null, ...workspace },
    resources,
  }
  if (tree === undefined) return writeConfiguration(request)
  for (const [path, text] of Object.entries(tree)) {
    await mkdir(join(directory, 'tree', path, '..'), { recursive: true })
    await writeFile(join(directory, 'tree', path), text)
  }
  const archive = join(directory, 'tree.tar.gz')
  await writeFile(archive, await packTree(join(directory, 'tree')))
  return writeConfiguration({ ...request, archive })
}

/** Output values terraform computes for a configuration without backend: `console` would need state. */
async function outputs(rootDir: string): Promise<string> {
  const terraform = (args: string[]) =>
    execa('terraform', args, {
      cwd: rootDir,
      env: { PATH: process.env.PATH },
      extendEnv: false,
      reject: false,
      all: true,
    })
  await writeFile(join(rootDir, 'zzz_override.tf.json'), '{"terraform":{"backend":{"local":{}}}}')
  const init = await terraform(['init', '-no-color', '-input=false'])
  if (init.exitCode !== 0) return init.all
  return (await terraform(['apply', '-no-color', '-input=false', '-auto-approve'])).all
}

describe('the configuration', () => {
  it('is made of the documents of the workspace and of its resources', async () => {
    await using temporary = await temporaryDirectory()
    const { rootDir, ownFiles } = await write(temporary.path, {
      tf_code: {
        output: {
          o: { value: `\${terraform_data.body.input}-\${terraform_data.whole.input}-\${terraform_data.hcl.input}` },
        },
      },
      provider_config: '\ufeffterraform {\n  required_version = ">= 1.0"\n}\n',
      resources: [
        resource('body', { input: 'b' }),
        resource('whole', { resource: { terraform_data: { whole: { input: 'w' } } } }),
        resource('hcl', 'resource "terraform_data" "hcl" {\n  input = "h"\n}\n'),
        resource('nothing', null),
      ],
    })
    expect(ownFiles).toEqual([
      'workspace.tf.json',
      'workspace_providers.tf',
      'resource_terraform_data.body.tf.json',
      'resource_terraform_data.whole.tf.json',
      'resource_terraform_data.hcl.tf',
      'zz_override.tf.json',
    ])
    expect(await outputs(rootDir)).toContain('o = "b-w-h"')
  })

  it('is the uploaded tree, with the working directory as root, without what a run must not see', async () => {
    await using temporary = await temporaryDirectory()
    const { rootDir } = await write(temporary.path, {
      working_directory: './envs//prod/',
      tree: {
        'envs/prod/main.tf': 'module "m" {\n  source = "../../m"\n}\noutput "o" {\n  value = module.m.o\n}\n',
        'm/main.tf': 'output "o" {\n  value = "from the module"\n}\n',
        'envs/prod/terraform.tfstate': 'somebody else',
        'envs/prod/.terraform/terraform.tfstate': 'somebody else',
        '.git/config': 'x',
      },
    })
    expect(rootDir).toBe(join(temporary.path, 'work/envs/prod'))
    for (const gone of ['terraform.tfstate', '.terraform', '../../.git']) {
      await expect(stat(join(rootDir, gone))).rejects.toThrow('ENOENT')
    }
    expect(await outputs(rootDir)).toContain('o = "from the module"')
  })

  it.each([
    ['../elsewhere', 'configuration_unsafe'],
    ['/etc', 'configuration_unsafe'],
    ['missing', 'configuration_invalid'],
    ['main.tf', 'configuration_invalid'],
  ])('refuses the working directory %s', async (working_directory, code) => {
    await using temporary = await temporaryDirectory()
    await expect(write(temporary.path, { working_directory, tree: { 'main.tf': '' } })).rejects.toMatchObject({ code })
  })

  it('refuses to write over a file of the upload', async () => {
    await using temporary = await temporaryDirectory()
    const written = write(temporary.path, { tf_code: { locals: {} }, tree: { 'workspace.tf.json': '{}' } })
    await expect(written).rejects.toMatchObject({ code: 'configuration_invalid' })
  })

  it('has our backend as the last override, whatever others there are', async () => {
    await using temporary = await temporaryDirectory()
    const { ownFiles } = await write(temporary.path, {
      tree: {
        'main.tf': '',
        'zzzz_override.tf': 'terraform {\n  backend "local" {}\n}\n',
        'zz_override.tf.json': '{}',
      },
    })
    const [ours = ''] = ownFiles
    expect(['zzzz_override.tf', 'zz_override.tf.json', ours].sort().at(-1)).toBe(ours)
    expect(await readFile(join(temporary.path, 'work', ours), 'utf8')).toContain('"http"')
  })
})

describe('a scan of the configuration', () => {
  it('finds backend and cloud blocks with file and line, but not our own', async () => {
    await using temporary = await temporaryDirectory()
    const { rootDir, ownFiles } = await write(temporary.path, {
      tree: {
        'main.tf': '\n\nterraform {\n  # backend "no" {}\n  backend "s3" {\n    key = "k"\n  }\n}\n',
        'more.tf.json': '{\n "terraform": [\n  {"cloud": {"organization": "o"}}\n ]\n}\n',
        'child/main.tf': 'terraform {\n  backend "gcs" {}\n}\n',
      },
    })
    expect((await scanConfiguration(rootDir, ownFiles)).backends).toEqual([
      { file: 'main.tf', line: 5, text: 'backend "s3"' },
      { file: 'more.tf.json', line: 3, text: 'cloud' },
    ])
  })

  it('finds terraform.workspace in the root module and in those it calls by path', async () => {
    await using temporary = await temporaryDirectory()
    const { rootDir, ownFiles } = await write(temporary.path, {
      working_directory: 'root',
      tree: {
        'root/main.tf': 'module "m" {\n  source = "../m"\n}\n# terraform.workspace\n',
        'root/j.tf.json': `{"locals": {\n "a": "\${terraform.workspace}", "b": "$\${terraform.workspace}"}}`,
        'm/main.tf': `module "back" {\n  source = "../root"\n}\nlocals {\n  env = "e-\${terraform.workspace}"\n}\n`,
        'unused/main.tf': 'locals {\n  env = terraform.workspace\n}\n',
      },
    })
    expect((await scanConfiguration(rootDir, ownFiles)).workspaceReferences).toEqual([
      { file: 'j.tf.json', line: 2, text: 'terraform.workspace' },
      { file: '../m/main.tf', line: 5, text: 'terraform.workspace' },
    ])
  })

  it.each<[string, string, boolean]>([
    [
      'only builtin resources',
      'resource "terraform_data" "a" {}\nvariable "v" {}\noutput "o" {\n  value = 1\n}\n',
      true,
    ],
    ['another resource', 'resource "null_resource" "a" {}\n', false],
    ['another data source, within a check', 'check "c" {\n  data "http" "x" {}\n}\n', false],
    ['a module', 'module "m" {\n  source = "./m"\n}\n', false],
    ['a provider', 'provider "aws" {}\n', false],
    ['required providers', 'terraform {\n  required_providers {\n    x = { source = "a/b" }\n  }\n}\n', false],
    ['a block we do not know', 'action "x" "y" {}\n', false],
  ])('knows whether init would bring anything: %s', async (_, text, expected) => {
    await using temporary = await temporaryDirectory()
    const { rootDir } = await write(temporary.path, { tree: { 'main.tf': text } })
    expect((await scanConfiguration(rootDir)).isBuiltinOnly).toBe(expected)
  })
})

describe('variables', () => {
  it('reach terraform as what they are: literal text, or the value of an expression', async () => {
    await using temporary = await temporaryDirectory()
    const names = ['text', 'list', 'number', 'heredoc']
    const { rootDir } = await write(temporary.path, {
      tf_code: names
        .map((name) => `variable "${name}" {}\noutput "${name}" {\n  value = jsonencode(var.${name})\n}\n`)
        .join(''),
    })
    const files = await writeVariables(rootDir, [
      variable('text', `a "b" \${c} %{d}\nline`),
      variable('list', '[\n  1,\n  "two",\n]', { hcl: true }),
      variable('number', '12345678901234567890', { hcl: true }),
      variable('heredoc', '<<EOT\nhi\nEOT', { hcl: true }),
      variable('AWS_REGION', 'not for terraform', { category: 'environment' }),
    ])
    for (const file of files) expect((await stat(join(rootDir, file))).mode & 0o777).toBe(0o600)
    const text = await outputs(rootDir)
    expect(text).toContain(`text = "\\"a \\\\\\"b\\\\\\" \${c} %{d}\\\\nline\\""`)
    expect(text).toContain(String.raw`list = "[1,\"two\"]"`)
    expect(text).toContain('number = "12345678901234567890"')
    expect(text).toContain(String.raw`heredoc = "\"hi\\n\""`)
  })

  it('win over variable files of the upload', async () => {
    await using temporary = await temporaryDirectory()
    const { rootDir } = await write(temporary.path, {
      tree: {
        'main.tf': 'variable "v" {}\noutput "v" {\n  value = var.v\n}\n',
        'zzzz.auto.tfvars': 'v = "upload"\n',
        'zz_workspace.auto.tfvars.json': '{"v": "upload"}',
      },
    })
    await writeVariables(rootDir, [variable('v', 'workspace')])
    expect(await outputs(rootDir)).toContain('v = "workspace"')
  })

  it('need a name terraform can take', async () => {
    await using temporary = await temporaryDirectory()
    const written = writeVariables(temporary.path, [variable('a = 1\nb', 'x', { hcl: true })])
    await expect(written).rejects.toMatchObject({ code: 'configuration_invalid' })
  })
})
