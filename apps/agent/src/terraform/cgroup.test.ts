import { expect, it } from 'vitest'
import { ownCgroup } from './cgroup.js'

const unified = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate'
const hybrid = [
  '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
  '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
].join('\n')

it.each([
  ['0::/system.slice/iac-agent.service\n', unified, '/sys/fs/cgroup/system.slice/iac-agent.service'],
  ['0::/\n', unified, '/sys/fs/cgroup'],
  ['5:cpuacct:/\n4:memory:/a\n0::/b\n', hybrid, '/sys/fs/cgroup/unified/b'],
  // a container that shares the host's cgroup names and sees its own part of the tree
  ['0::/docker/1/x\n', '30 23 0:26 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw', '/sys/fs/cgroup/x'],
])('finds its own cgroup: %j', (membership, mounts, path) => {
  expect(ownCgroup(membership, mounts)).toBe(path)
})

it.each([
  ['4:memory:/a\n', hybrid],
  ['0::/b\n', hybrid.split('\n').slice(0, 2).join('\n')],
  ['0::/../other\n', '30 23 0:26 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup rw'],
])('knows that there is none, or that it is not to be seen from here: %j', (membership, mounts) => {
  expect(ownCgroup(membership, mounts)).toBeUndefined()
})
