import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, type FakeAnswer, refusal, startFakeServer } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import { attemptDirectory, live } from './_attempt.js'

const proxyPage: FakeAnswer = { status: 403, body: '<html>blocked</html>', headers: { 'content-type': 'text/html' } }

describe('delivery of an attempt', () => {
  it('brings log, plan, plan-json and last of all the final status, and is settled', async () => {
    await using server = await startFakeServer()
    await using directory = await attemptDirectory()
    const task = server.addTask()
    await using agent = await live(server, task, directory)
    agent.delivery.stage('planning')
    await eventually('the stage', () => task.statuses.find(({ stage }) => stage === 'planning'))
    await directory.write('Plan: 1 to add\n')
    await writeFile(directory.layout.planArchive, 'an archive')
    await writeFile(directory.layout.planJson, '{}')
    await agent.record({ fact: 'planPacked' }, { fact: 'planJsonSaved' })
    await agent.record({ fact: 'outputClosed', sizeBytes: 15 })
    const counts = { add: 1, change: 0, destroy: 0 }
    await agent.record({ fact: 'outcome', status: 'success', counts, durationSeconds: 3 })
    await agent.delivery.settled
    expect(task.log.toString()).toBe('Plan: 1 to add\n')
    expect(task.seals).toHaveLength(1)
    expect(task.plan?.toString()).toBe('an archive')
    expect(task.planJson?.toString()).toBe('{}')
    expect(task.finalStatus).toEqual({
      status: 'success',
      stage: 'completed',
      duration: 3,
      changes_add: 1,
      changes_change: 0,
      changes_destroy: 0,
      store_epoch: 1,
    })
    expect(server.requests.at(-1)).toMatch(/^PUT .*\/status$/)
    expect(agent.delivery.unsent()).toEqual([])
  })

  it('sends the newest of several states first and holds the status back until all are there', async () => {
    await using server = await startFakeServer()
    await using directory = await attemptDirectory()
    const task = server.addTask({ action: 'apply' })
    server.fail({ match: /POST .*\/state$/, answer: { status: 502, body: 'bad gateway' } })
    await using agent = await live(server, task, directory)
    const states = [await agent.receiveState(1), await agent.receiveState(2), await agent.receiveState(3)]
    await agent.end(0)
    await agent.delivery.settled
    // the first was on its way when the others came
    expect(task.states.map(String)).toEqual([states[0], states[2], states[1]])
    expect(task.finalStatus?.status).toBe('success')
    expect(server.requests.at(-1)).toMatch(/status$/)
  })

  it('goes on in a new process with what the journal says is unsent', async () => {
    await using server = await startFakeServer()
    await using directory = await attemptDirectory()
    const task = server.addTask({ action: 'apply' })
    {
      await using agent = await live(server, task, directory)
      await directory.write('first half, ')
      await agent.receiveState(1)
      await eventually('the log', () => task.log.length === 12)
      await eventually('the state', () => task.states.length === 1)
      await eventually('its record', () => agent.delivery.unsent()[0] !== 'state')
      server.fail({ match: /./, times: 1000, answer: 'cut' })
      await directory.write('second half')
      await agent.receiveState(2)
      await agent.end(23)
      await eventually('a failed request', () => server.requests.length > 4)
    }
    expect(task.log.toString()).toBe('first half, ')
    server.heal()
    await using agent = await live(server, task, directory)
    await agent.delivery.settled
    expect(task.log.toString()).toBe('first half, second half')
    expect(task.states).toHaveLength(2)
    expect(task.finalStatus?.status).toBe('success')
  })

  it('takes a proxy page for the network and tries until our server answers', async () => {
    await using server = await startFakeServer()
    await using directory = await attemptDirectory()
    const task = server.addTask()
    server.fail({ match: /logs\/chunk|status/, times: 2, answer: proxyPage })
    await using agent = await live(server, task, directory)
    await directory.write('hello\n')
    await agent.end(6)
    await agent.delivery.settled
    expect(task.log.toString()).toBe('hello\n')
    expect(agent.journal.facts.filter(({ fact }) => fact === 'refused')).toEqual([])
  })

  it('sets aside, with the reason, what our server refuses for good, and still ends', async () => {
    await using server = await startFakeServer()
    await using directory = await attemptDirectory()
    const task = server.addTask({ action: 'apply' })
    server.fail({ match: /POST .*\/state$/, answer: refusal('too_large', 'The state is too large.') })
    await using agent = await live(server, task, directory)
    const state = await agent.receiveState(1)
    await agent.end(0)
    await agent.delivery.settled
    const { quarantine } = directory.layout
    expect(await readFile(join(quarantine, 'state-1.tfstate'), 'utf8')).toBe(state)
    const reason = JSON.parse(await readFile(join(quarantine, 'state-1.tfstate.reason.json'), 'utf8'))
    expect(reason).toEqual({ item: 'state', code: 'too_large', message: 'The state is too large.' })
    expect(agent.journal.facts).toContainEqual(
      expect.objectContaining({ fact: 'refused', item: 'state', name: '1.tfstate', code: 'too_large' }),
    )
    expect(task.finalStatus?.status).toBe('success')
  })

  it('takes stale_lease on the status for an answer, not a fault', async () => {
    await using server = await startFakeServer()
    await using directory = await attemptDirectory()
    const task = server.addTask()
    server.fail({ match: /PUT .*\/status$/, answer: refusal('stale_lease', 'Another attempt is current.') })
    await using agent = await live(server, task, directory)
    await agent.end(0)
    await agent.delivery.settled
    expect(agent.journal.facts).toContainEqual(
      expect.objectContaining({ fact: 'delivered', item: 'status', late: true }),
    )
    expect(await readdir(directory.layout.root)).not.toContain('quarantine')
  })

  it('reports progress line by line and leaves out lines that are none', async () => {
    await using server = await startFakeServer()
    await using directory = await attemptDirectory()
    const task = server.addTask({ action: 'apply' })
    await using agent = await live(server, task, directory)
    const report = (address: string) => ({ address, action: 'create', status: 'complete' })
    await appendFile(directory.layout.progress, `${JSON.stringify(report('a.b'))}\n{"torn\n{"address":"c`)
    agent.delivery.progressed()
    await eventually('the first report', () => task.resources.length === 1)
    await appendFile(directory.layout.progress, '.d","action":"create","status":"complete"}\n')
    await agent.end(0)
    await agent.delivery.settled
    expect(task.resources).toEqual([report('a.b'), report('c.d')])
  })
})
