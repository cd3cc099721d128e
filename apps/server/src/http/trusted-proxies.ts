/** Whose request it is when proxies stand in front: X-Forwarded-For is believed from trusted addresses alone. */
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv6 } from 'node:net'

export class TrustedProxies {
  readonly #networks = new BlockList()

  /** @param networks addresses, or networks such as 10.0.0.0/8, checked by the settings */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', bits] = network.split('/', 2)
      const family = familyOf(address)
      if (bits === undefined) this.#networks.addAddress(address, family)
      else this.#networks.addSubnet(address, Number(bits), family)
    }
  }

  has(address: string): boolean {
    return isIP(address) !== 0 && this.#networks.check(address, familyOf(address))
  }

  /** The nearest address that is no trusted proxy; what stands left of it in the header is anybody's word. */
  clientOf({ socket, headers }: IncomingMessage): string {
    const said = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
    const addresses = [...said.map((item) => item.trim()).filter((item) => item !== ''), socket.remoteAddress ?? '']
    return addresses.findLast((address, index) => index === 0 || !this.has(address)) ?? ''
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
