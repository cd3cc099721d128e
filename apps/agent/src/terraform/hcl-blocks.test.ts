import { describe, expect, it } from 'vitest'
import { hclStructure } from './hcl-blocks.js'

const paths = (text: string) =>
  hclStructure(text).blocks.map(({ path, labels, line }) => [path.join('.'), ...labels, line])
const words = (text: string) =>
  hclStructure(text)
    .words.filter(({ text: word }) => word.startsWith('terraform.'))
    .map(({ text: word, line }) => `${word}:${line}`)

describe('the structure of HCL', () => {
  it('has blocks with labels, path and line', () => {
    expect(
      paths('terraform {\n  backend "s3" {\n    bucket = "b"\n  }\n  cloud {}\n}\nmodule m { source = "./m" }\n'),
    ).toEqual([
      ['terraform', 1],
      ['terraform.backend', 's3', 2],
      ['terraform.cloud', 5],
      ['module', 'm', 7],
    ])
  })

  it('does not take comments, strings, heredocs or objects for blocks', () => {
    const text = [
      '# terraform { backend "a" {',
      '// terraform { backend "b" {',
      '/* terraform {',
      ' backend "c" { */',
      'locals {',
      '  a = "terraform { backend \\"d\\" {"',
      '  b = <<-EOT',
      '    terraform { backend "e" {',
      '  EOT',
      '  c = { terraform = { backend = {} } }',
      '  d = [for x in y : {',
      '    cloud = {}',
      '  }]',
      '}',
      'terraform {',
      '  backend "real" {}',
      '}',
    ].join('\n')
    expect(paths(text)).toEqual([
      ['locals', 5],
      ['terraform', 15],
      ['terraform.backend', 'real', 16],
    ])
  })

  it('finds words in expressions and templates, not in literal text', () => {
    const text = [
      'locals {',
      '  a = terraform.workspace',
      `  b = "x-\${terraform.workspace}-\${upper("\${terraform.nested}")}"`,
      `  c = "terraform.text $\${terraform.escaped}"`,
      '  d = <<EOT',
      'terraform.text %{ if terraform.workspace == "x" }y%{ endif }',
      'EOT',
      '  e = { (terraform.key) = 1 } # terraform.comment',
      '}',
    ].join('\n')
    expect(words(text)).toEqual([
      'terraform.workspace:2',
      'terraform.workspace:3',
      'terraform.nested:3',
      'terraform.workspace:6',
      'terraform.key:8',
    ])
  })

  it('reads Windows lines', () => {
    expect(paths('terraform {\r\n  backend "s3" {\r\n  }\r\n}\r\n')).toEqual([
      ['terraform', 1],
      ['terraform.backend', 's3', 2],
    ])
  })

  it.each(['"', `\${`, '<<EOT\nx', '{{{', '}}}', '/*', 'a "b', '\\', '<<', ''])(
    'survives %j, which is no HCL',
    (text) => {
      expect(Array.isArray(hclStructure(text).blocks)).toBe(true)
    },
  )
})
