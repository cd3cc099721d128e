import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createPoolAndKey, eventually, repositoryRoot, startServer, temporaryDirectory } from '@iac-agent/testkit'
import { execa } from 'execa'
import { expect, it } from 'vitest'

it.each(['json', 'pretty'])('an agent whose own %s log cannot be written works on', async (format) => {
  await using server = await startServer()
  await using home = await temporaryDirectory()
  const { key } = await createPoolAndKey(server.client)
  const bin = join(repositoryRoot(), 'apps/agent/bin/iac-agent.js')
  const data = ['--data-dir', join(home.path, 'data')]
  const full = openSync('/dev/full', 'w')
  const agent = spawn(process.execPath, [bin, 'start', '--server-url', server.url, '--log-format', format, ...data], {
    stdio: ['ignore', 'ignore', full],
    env: { PATH: process.env.PATH, IAC_AGENT_APP_KEY: key.app_key, IAC_AGENT_APP_SECRET: key.app_secret },
  })
  closeSync(full)
  const ended = once(agent, 'exit')
  await eventually('service', async () =>
    (await execa(process.execPath, [bin, 'status', ...data])).stdout.includes(': serving'),
  )
  agent.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})
