/** What every run of terraform stands on: the script of its supervisor, and a cgroup where this host allows it. */
import type { Logger } from '@iac-agent/runtime'
import type { Ballast } from '../journal/ballast.js'
import type { DataLayout } from '../journal/layout.js'
import { Supervisors } from '../tasks/supervisors.js'
import { findCgroup } from '../terraform/cgroup.js'
import { installSupervisor } from '../terraform/install-supervisor.js'
import { whenThereIsRoom } from './room-to-start.js'

/** None stands by yet. */
export async function openSupervisors(data: DataLayout, room: { ballast: Ballast; log: Logger }): Promise<Supervisors> {
  const { log } = room
  const cgroup = await findCgroup()
  if (cgroup !== undefined) log.info({ cgroup }, 'each run gets a cgroup')
  const script = await whenThereIsRoom(room, () => installSupervisor(data.root))
  return await Supervisors.open({ script, directory: data.standby, cgroup, log })
}
