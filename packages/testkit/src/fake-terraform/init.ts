/** `init`: notes the backend as terraform does, so that the agent needs no other init, neither for the fake nor for the real one. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { terraformVersion } from './events.js'
import { plain } from './printer.js'
import type { Run } from './run.js'

/** Of an empty `backend "http"` block, as terraform 1.11.4 notes it; another version finds it changed and asks for its own init. */
const backendHash = 3307601501

const members = [
  'address',
  'client_ca_certificate_pem',
  'client_certificate_pem',
  'client_private_key_pem',
  'lock_address',
  'lock_method',
  'password',
  'retry_max',
  'retry_wait_max',
  'retry_wait_min',
  'skip_cert_verification',
  'unlock_address',
  'unlock_method',
  'update_method',
  'username',
]

export function init({ printer }: Run): Promise<number> {
  const config = Object.fromEntries(members.map((name) => [name, null]))
  const note = { version: 3, terraform_version: terraformVersion, backend: { type: 'http', config, hash: backendHash } }
  mkdirSync('.terraform', { recursive: true })
  writeFileSync('.terraform/terraform.tfstate', JSON.stringify(note, null, 2))
  printer.print(plain('Initializing the backend...\n\nTerraform has been successfully initialized!'))
  return Promise.resolve(0)
}
