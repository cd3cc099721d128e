import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chooseState, collectCandidates } from '../../src/state/candidates.js'
import { asksForInit, readErrors } from '../../src/terraform/output-reading.js'
import { type BackendFixture, backendFixture, bytesOf, lineage, stateText } from './backend-fixture.js'

const configuration = 'resource "terraform_data" "a" {\n  input = 12345678901234567890\n}\n'

/** An apply whose state the backend refuses (413, which terraform does not retry); answers its output file. */
async function refusedApply(fixture: BackendFixture): Promise<string> {
  await fixture.configure(configuration)
  await fixture.terraform(['plan', '-no-color', '-out=p'])
  const { all, exitCode } = await fixture.terraform(['apply', '-json', 'p'])
  expect(exitCode).toBe(1)
  const output = join(fixture.directory, 'output')
  await writeFile(output, `${all}\n`)
  return output
}

function collect(fixture: BackendFixture, outputFile?: string) {
  const { statesDir, rootDir } = fixture
  return collectCandidates({ statesDir, rootDir, lineage, ...(outputFile === undefined ? {} : { outputFile }) })
}

describe('collecting what an apply left', () => {
  it('takes up errored.tfstate with its large numbers, once however often it is asked', async () => {
    await using fixture = await backendFixture({ maxBytes: 300 })
    const output = await refusedApply(fixture)
    const errored = await readFile(join(fixture.rootDir, 'errored.tfstate'), 'utf8')
    const [candidate, ...others] = await collect(fixture, output)
    expect(others).toEqual([])
    expect(candidate).toMatchObject({ origin: 'errored', serial: 1, lineage, foreign: false })
    expect(await bytesOf(candidate)).toBe(errored)
    expect(errored).toMatch(/"value": ?12345678901234567890\b/)
    expect((await collect(fixture, output)).map(({ sha256 }) => sha256)).toEqual([candidate?.sha256])
    expect(await readdir(fixture.statesDir)).toHaveLength(1)
    expect(await readErrors({ path: output })).toContainEqual({
      summary: 'Failed to save state',
      detail: expect.stringContaining('413'),
    })
  })

  it('takes up the state that terraform printed when it could write no file either', async () => {
    await using fixture = await backendFixture({ maxBytes: 300 })
    await mkdir(join(fixture.rootDir, 'errored.tfstate')) // no file can be written under that name
    const output = await refusedApply(fixture)
    const [candidate, ...others] = await collect(fixture, output)
    expect(others).toEqual([])
    expect(candidate).toMatchObject({ origin: 'printed', serial: 1, lineage, foreign: false })
    const text = await bytesOf(candidate)
    expect(JSON.parse(text)).toMatchObject({ version: 4, resources: [{ name: 'a' }] })
    expect(text).toContain('"value":12345678901234567890')
  })

  it('takes the printed state of a long output whole, wherever reads cut it', async () => {
    await using fixture = await backendFixture()
    const state = stateText(4, { filler: 'é'.repeat(200_000) })
    const event = (text: string) =>
      `{"@level":"info","@message":"Emergency state dump","@module":"terraform.ui","@timestamp":"t","state":${text},"type":"log"}\n`
    for (const before of [0, 1, 65_530, 65_536 - 40]) {
      const output = join(fixture.directory, `output-${before}`)
      await writeFile(output, `${'.'.repeat(before)}\n${event(stateText(3))}${event(state)}after\n`)
      const printed = (await collect(fixture, output)).find(({ serial }) => serial === 4)
      expect(await bytesOf(printed)).toBe(state)
    }
  })

  it.each([
    ['of 0 bytes', ''],
    ['that is truncated', stateText(2).slice(0, -3)],
    ['that is no JSON', 'oops'],
  ])('leaves an errored.tfstate %s alone', async (_, text) => {
    await using fixture = await backendFixture()
    await writeFile(join(fixture.rootDir, 'errored.tfstate'), text)
    expect(await collect(fixture)).toEqual([])
    expect(await readdir(fixture.statesDir)).toEqual([])
  })

  it('leaves a printed state alone whose line is torn', async () => {
    await using fixture = await backendFixture()
    const output = join(fixture.directory, 'output')
    await writeFile(output, `{"@message":"Emergency state dump","state":${stateText(2)},"ty`)
    expect(await collect(fixture, output)).toEqual([])
  })
})

describe('choosing the state that counts', () => {
  const candidate = {
    path: '',
    order: 1,
    serial: 1,
    lineage,
    sha256: '',
    sizeBytes: 1,
    foreign: false,
    origin: 'posted' as const,
  }

  it('takes the highest serial of the workspace lineage', () => {
    const errored = { ...candidate, order: 3, serial: 7, origin: 'errored' as const }
    const other = { ...candidate, order: 4, serial: 99, lineage: 'other', foreign: true }
    const { current, aside } = chooseState([{ ...candidate, order: 2, serial: 6 }, errored, other], lineage)
    expect(current).toBe(errored)
    expect(aside.map(({ serial }) => serial)).toEqual([6, 99])
  })

  it('takes the later of two with one serial', () => {
    const states = [1, 2].map((order) => ({ ...candidate, order }))
    expect(chooseState([...states].reverse(), lineage).current?.order).toBe(2)
  })

  it('takes none when there is none of the lineage', () => {
    expect(chooseState([{ ...candidate, lineage: 'other' }], lineage).current).toBeUndefined()
  })
})

describe('terraform that was not initialised', () => {
  it('asks for init in a way that is understood', async () => {
    await using fixture = await backendFixture()
    await writeFile(
      join(fixture.rootDir, 'main.tf'),
      'terraform {\n  backend "http" {}\n}\nmodule "m" {\n  source = "./m"\n}\n',
    )
    await mkdir(join(fixture.rootDir, 'm'))
    const { all, exitCode } = await fixture.terraform(['plan', '-no-color'])
    expect(exitCode).toBe(1)
    const output = join(fixture.directory, 'output')
    await writeFile(output, all)
    expect(asksForInit(await readErrors({ path: output }))).toBe(true)
  })
})
