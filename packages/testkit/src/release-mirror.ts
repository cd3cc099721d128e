/** A mirror of terraform and tofu releases in HashiCorp's layout, whose archives hold small programs. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32, deflateRawSync } from 'node:zlib'

export interface ReleaseMirror extends AsyncDisposable {
  readonly baseUrl: string
  /** Paths that were asked for. */
  readonly asked: string[]
  readonly files: Map<string, Buffer | string>
  /** Adds a release whose archive holds `program`, with its checksums; what is given instead takes their place. */
  publish(
    engine: 'terraform' | 'tofu',
    version: string,
    program: string,
    instead?: { archive?: Buffer; sums?: string },
  ): void
}

/** Serves nothing yet; dispose closes it. */
export async function startReleaseMirror(): Promise<ReleaseMirror> {
  const files = new Map<string, Buffer | string>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const file = files.get(request.url ?? '')
    response.writeHead(file === undefined ? 404 : 200, { Connection: 'close' }).end(file)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mirror/`,
    asked,
    files,
    publish(engine, version, program, instead = {}) {
      const name = `${engine}_${version}_linux_${releaseArch}.zip`
      const archive = instead.archive ?? zipOf(engine, program)
      const sum = createHash('sha256').update(archive).digest('hex')
      files.set(`/mirror/${engine}/${version}/${name}`, archive)
      files.set(
        `/mirror/${engine}/${version}/${engine}_${version}_SHA256SUMS`,
        instead.sums ?? `${'0'.repeat(64)}  other.zip\n${sum}  ${name}\n`,
      )
    },
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}

/** This machine's, in the names of releases. */
export const releaseArch = process.arch === 'x64' ? 'amd64' : process.arch

/** A zip archive of one deflated file. */
export function zipOf(name: string, text: string): Buffer {
  const raw = Buffer.from(text)
  const packed = deflateRawSync(raw)
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(20, 0)
  fields.writeUInt16LE(8, 4)
  fields.writeUInt32LE(crc32(raw), 10)
  fields.writeUInt32LE(packed.length, 14)
  fields.writeUInt32LE(raw.length, 18)
  fields.writeUInt16LE(name.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed])
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, Buffer.alloc(14), Buffer.from(name)])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, central, end])
}
