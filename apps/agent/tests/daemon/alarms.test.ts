import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, refusal, startFakeServer } from '@iac-agent/testkit'
import { expect, it } from 'vitest'
import { runCli } from '../_util/cli.js'
import { startDaemon } from '../_util/daemon.js'

it('sounds an alarm in status for what the server refused for good, and keeps it', async () => {
  await using server = await startFakeServer()
  await using daemon = await startDaemon({ server })
  await server.message('heartbeat')
  server.fail({ match: /seal/, times: 1, answer: refusal('log_diverged', 'the log is another one') })
  const task = server.addTask({ workspace: { tf_code: {} } })
  server.offer(task)
  await eventually('the end', () => task.finalStatus)
  const attempt = `${task.id}-${task.attempt}`
  const kept = join(daemon.data.attempts, attempt, 'quarantine')
  const alarm = { attempt, item: 'log', code: 'log_diverged', kept }
  await eventually('the attempt is over', async () => {
    expect(await daemon.status()).toMatchObject({
      attempts: [],
      alarms: [alarm],
      kept: { for_a_person: [{ attempt, why: 'refused' }] },
    })
    return true
  })
  const { stdout } = await runCli('status', '--data-dir', daemon.data.root)
  expect(stdout).toContain(`ALARM     attempt ${attempt}: log log_diverged: `)
  expect(await readdir(kept)).toEqual(['log-spool', 'log-spool.reason.json'])
})
