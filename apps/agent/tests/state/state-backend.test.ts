import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { silentLogger } from '@iac-agent/runtime'
import { eventually } from '@iac-agent/testkit'
import { request } from 'undici'
import { describe, expect, it } from 'vitest'
import { openStateBackend } from '../../src/state/state-backend.js'
import { listStates } from '../../src/state/stored-state.js'
import { backendFixture, bytesOf, lineage, stateText } from './backend-fixture.js'

const md5 = (text: string) => createHash('md5').update(text).digest('base64')

describe('the state backend, asked', () => {
  it('answers an empty state of serial 0 and the lineage of the workspace when there is none', async () => {
    await using fixture = await backendFixture()
    const { status, text } = await fixture.get()
    expect(status).toBe(200)
    expect(JSON.parse(text)).toEqual({
      version: 4,
      serial: 0,
      lineage,
      outputs: {},
      resources: [],
      check_results: null,
    })
  })

  it('answers the bytes the server gave, untouched', async () => {
    await using temporary = await backendFixture()
    const base = join(temporary.directory, 'base')
    const text = ` \n${stateText(7).replace('"outputs":{}', '"outputs":{"n":{"value":12345678901234567890.5}}')}\n\n`
    await writeFile(base, text)
    await using fixture = await backendFixture({ base })
    expect((await fixture.get()).text).toBe(text)
  })

  it('puts lineage and serial in front of a base that names none', async () => {
    await using temporary = await backendFixture()
    const base = join(temporary.directory, 'base')
    await writeFile(base, '{ "version": 4, "outputs": {}, "resources": [] }')
    await using fixture = await backendFixture({ base, baseSerial: 9 })
    expect(JSON.parse((await fixture.get()).text)).toMatchObject({ version: 4, serial: 9, lineage, resources: [] })
    expect((await fixture.post(stateText(8))).status).toBe(409)
    expect((await fixture.post(stateText(10))).status).toBe(200)
  })

  it('refuses without its credentials, and listens on loopback alone', async () => {
    await using fixture = await backendFixture()
    const url = `http://127.0.0.1:${fixture.backend.port}/state`
    for (const authorization of [undefined, `Basic ${Buffer.from('iac-agent:wrong').toString('base64')}`]) {
      const headers = authorization === undefined ? {} : { authorization }
      const answer = await request(url, { method: 'POST', headers, body: stateText(1) })
      await answer.body.dump()
      expect(answer.statusCode).toBe(503)
    }
    expect(fixture.told).toEqual([])
  })

  it('has no lock', async () => {
    await using fixture = await backendFixture()
    const { username, password } = fixture.backend.credentials
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    const answer = await request(`http://127.0.0.1:${fixture.backend.port}/state`, {
      method: 'DELETE',
      headers: { authorization },
    })
    await answer.body.dump()
    expect(answer.statusCode).toBe(405)
  })
})

describe('the state backend, given a state', () => {
  it('keeps it byte for byte, readable by this user alone, and serves it from then on', async () => {
    await using fixture = await backendFixture()
    const text = stateText(1).replace('"resources":[]', '"resources":[],"big":10000000000000000001')
    expect((await fixture.post(text, { 'content-md5': md5(text) })).status).toBe(200)
    expect(await bytesOf(fixture.told[0])).toBe(text)
    expect((await stat(fixture.told[0]?.path ?? '')).mode & 0o777).toBe(0o600)
    expect((await stat(fixture.statesDir)).mode & 0o777).toBe(0o700)
    expect((await fixture.get()).text).toBe(text)
    expect(fixture.told[0]).toMatchObject({
      order: 1,
      serial: 1,
      lineage,
      foreign: false,
      sizeBytes: text.length,
      sha256: createHash('sha256').update(text).digest('hex'),
    })
  })

  it('has told of the state before it acknowledges it, and does not acknowledge what could not be told', async () => {
    let failures = 1
    const told: number[] = []
    await using fixture = await backendFixture({
      onState: async ({ serial }) => {
        if (failures-- > 0) throw new Error('the journal cannot be written')
        told.push(serial)
      },
    })
    expect((await fixture.post(stateText(1))).status).toBe(500)
    expect((await fixture.post(stateText(1))).status).toBe(200)
    expect(told).toEqual([1])
  })

  it('takes the same bytes again as one state: the acknowledgement was lost', async () => {
    await using fixture = await backendFixture()
    await fixture.post(stateText(1))
    expect((await fixture.post(stateText(1))).status).toBe(200)
    expect(fixture.told).toHaveLength(1)
  })

  it('lets the later of two states with one serial win, and keeps both', async () => {
    await using fixture = await backendFixture()
    await fixture.post(stateText(1, { outputs: { a: 1 } }))
    await fixture.post(stateText(1, { outputs: { a: 2 } }))
    expect(fixture.told.map(({ order, foreign }) => [order, foreign])).toEqual([
      [1, false],
      [2, false],
    ])
    expect((await fixture.get()).text).toContain('"a":2')
  })

  it('answers 409 to another lineage and keeps it aside', async () => {
    await using fixture = await backendFixture()
    await fixture.post(stateText(3))
    const other = stateText(9, { lineage: 'other' })
    expect((await fixture.post(other)).status).toBe(409)
    expect(fixture.told.at(-1)).toMatchObject({ foreign: true, lineage: 'other', serial: 9 })
    expect(await bytesOf(fixture.told.at(-1))).toBe(other)
    expect((await fixture.get()).text).toBe(stateText(3))
  })

  it('answers 409 to an older serial and keeps it aside', async () => {
    await using fixture = await backendFixture()
    await fixture.post(stateText(3))
    expect((await fixture.post(stateText(2))).status).toBe(409)
    expect((await fixture.get()).text).toBe(stateText(3))
  })

  it.each([
    ['an empty body', ''],
    ['something that is no JSON', 'disk full'],
    ['a truncated state', stateText(1).slice(0, -1)],
    ['a state of version 3', stateText(1).replace('"version":4', '"version":3')],
    ['a state without serial', '{"version":4,"lineage":"x"}'],
  ])('refuses %s with 400 and leaves nothing', async (_, body) => {
    await using fixture = await backendFixture()
    expect((await fixture.post(body)).status).toBe(400)
    expect(fixture.told).toEqual([])
    expect(await readdir(fixture.statesDir)).toEqual([])
  })

  it('refuses a state whose Content-MD5 does not match', async () => {
    await using fixture = await backendFixture()
    expect((await fixture.post(stateText(1), { 'content-md5': md5('other') })).status).toBe(400)
    expect(await readdir(fixture.statesDir)).toEqual([])
  })

  it('refuses a state beyond its bound before reading it', async () => {
    await using fixture = await backendFixture({ maxBytes: 100 })
    expect((await fixture.post(stateText(1, { filler: 'x'.repeat(100) }))).status).toBe(413)
  })

  it('forgets a state whose sender went away half-way', async () => {
    await using fixture = await backendFixture()
    const { port, credentials } = fixture.backend
    const basic = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')
    const socket = connect(port, '127.0.0.1')
    const head = `POST /state HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${basic}\r\nContent-Length: 1000\r\n\r\n`
    socket.write(head + stateText(5).slice(0, 50))
    await eventually('the half', async () => (await readdir(fixture.statesDir)).length === 1)
    socket.destroy()
    await once(socket, 'close')
    await eventually('nothing left', async () => (await readdir(fixture.statesDir)).length === 0)
    expect((await fixture.post(stateText(1))).status).toBe(200)
    expect(fixture.told.map(({ serial }) => serial)).toEqual([1])
  })

  it('goes on where it was after a restart', async () => {
    await using fixture = await backendFixture()
    const { port } = fixture.backend
    await fixture.post(stateText(4))
    await writeFile(join(fixture.statesDir, '.incoming-torn'), 'half a st')
    await fixture.reopen()
    expect(fixture.backend.port).toBe(port)
    expect((await fixture.get()).text).toBe(stateText(4))
    await fixture.post(stateText(5))
    const stored = await listStates(fixture.statesDir)
    expect(stored.map(({ order, serial, lineage: of }) => [order, serial, of])).toEqual([
      [1, 4, lineage],
      [2, 5, lineage],
    ])
    expect(await readdir(fixture.statesDir)).toHaveLength(2)
  })

  it('names the port that another process has', async () => {
    await using fixture = await backendFixture()
    const { port } = fixture.backend
    const second = openStateBackend({
      statesDir: fixture.statesDir,
      lineage,
      port,
      onState: async () => undefined,
      log: silentLogger(),
    })
    await expect(second).rejects.toMatchObject({ code: 'port_in_use', port })
  })
})
