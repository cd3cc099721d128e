import { eventually, startFakeServer } from '@iac-agent/testkit'
import { describe, expect, it } from 'vitest'
import type { LiveChannel } from '../../src/delivery/log-lane.js'
import { attemptDirectory, live } from './_attempt.js'

describe('the log lane', () => {
  it('asks where to go on after a gap, and the log is whole', async () => {
    await using server = await startFakeServer()
    await using directory = await attemptDirectory()
    const task = server.addTask()
    await using agent = await live(server, task, directory)
    await directory.write('0123456789')
    await eventually('the first bytes', () => task.log.length === 10)
    task.log = task.log.subarray(0, 4) // as a server that was restored from a backup
    await directory.write('abcdef')
    await agent.end(16)
    await agent.delivery.settled
    expect(task.log.toString()).toBe('0123456789abcdef')
    expect(task.seals).toEqual([expect.objectContaining({ total_bytes: 16 })])
  })

  it('never seals a log whose raw output met a full disk, and still brings what there is and the status', async () => {
    await using server = await startFakeServer()
    await using directory = await attemptDirectory()
    const task = server.addTask()
    await using agent = await live(server, task, directory)
    await directory.write('half a line')
    await agent.record({ fact: 'outputTorn', freeBytes: 0 })
    await agent.end(11)
    await agent.delivery.settled
    expect(task.log.toString()).toBe('half a line')
    expect(task.seals).toEqual([])
    expect(task.finalStatus).toBeDefined()
    expect(agent.journal.facts).toContainEqual(
      expect.objectContaining({ fact: 'refused', item: 'log', code: 'disk_full' }),
    )
  })

  it('sends a long log in few requests of at most 1 MiB', async () => {
    await using server = await startFakeServer()
    await using directory = await attemptDirectory()
    const task = server.addTask()
    const text = `${'x'.repeat(99)}\n`.repeat(50_000)
    await directory.write(text)
    await using agent = await live(server, task, directory)
    await agent.end(text.length)
    await agent.delivery.settled
    expect(task.log.equals(Buffer.from(text))).toBe(true)
    expect(server.requests.filter((line) => line.endsWith('/chunk')).length).toBeLessThan(12)
  })

  it('sets a log aside that is not the one the server holds', async () => {
    await using server = await startFakeServer()
    await using directory = await attemptDirectory()
    const task = server.addTask()
    task.log = Buffer.from('something else altogether')
    await using agent = await live(server, task, directory)
    await directory.write('hello\n')
    await agent.end(6)
    await agent.delivery.settled
    expect(agent.journal.facts).toContainEqual(
      expect.objectContaining({ fact: 'refused', item: 'log', code: 'log_diverged' }),
    )
    expect(task.finalStatus?.status).toBe('success')
  })

  it('sends live frames while watched, without a request, and requests again when nobody acknowledges', async () => {
    await using server = await startFakeServer()
    await using directory = await attemptDirectory()
    const task = server.addTask()
    const ears: { isDeaf: boolean } = { isDeaf: false }
    const channel: LiveChannel & { frames: number } = {
      isOpen: true,
      frames: 0,
      send({ offset }, bytes) {
        channel.frames++
        if (!ears.isDeaf) agent.delivery.acknowledgeLive(task.append(offset, bytes).nextOffset)
        return Promise.resolve(true)
      },
    }
    await using agent = await live(server, task, directory, channel)
    agent.delivery.watch(true)
    await directory.write('one\n')
    await eventually('the live bytes', () => task.log.toString() === 'one\n')
    expect(server.requests.filter((line) => line.endsWith('/chunk'))).toEqual([])
    ears.isDeaf = true
    await directory.write('two\n')
    await eventually('the bytes by request', () => task.log.toString() === 'one\ntwo\n')
    expect(channel.frames).toBe(2)
    await agent.end(8)
    await agent.delivery.settled
    expect(agent.delivery.logBytesAcknowledged).toBe(8)
  })
})
