/** Text as terraform prints it: refreshes, diffs and completions with addresses, ids and numbers; gzip makes a tenth of it. */

/** Stands in some of the lines, as the workspace's sensitive variable. */
export const secret = 'correct-horse-battery-staple-0451'
const marker = '[redacted]'

export interface TerraformText {
  readonly bytes: Buffer
  /** What is left of it when each secret is replaced by its marker. Bytes. */
  readonly redactedBytes: number
}

/** At least `leastBytes`, ends with a whole line; the same text each time. */
export function terraformText(leastBytes: number): TerraformText {
  const parts: string[] = []
  const number = numbers()
  let sizeBytes = 0
  let secrets = 0
  for (let index = 0; sizeBytes < leastBytes; index++) {
    const showsSecret = index % 50 === 0
    const part = resource(index, number, showsSecret ? secret : `/app/${index % 7}/config`)
    if (showsSecret) secrets++
    parts.push(part)
    sizeBytes += part.length
  }
  const bytes = Buffer.from(parts.join(''))
  return { bytes, redactedBytes: bytes.length - secrets * (secret.length - marker.length) }
}

function resource(index: number, number: () => number, value: string): string {
  const id = `i-${hex(number())}${hex(number())}`
  const address = `module.region["eu-central-${index % 3}"].aws_instance.worker[${index}]`
  const cidr = `10.${number() % 256}.${number() % 256}.0/24`
  return `${address}: Refreshing state... [id=${id}]

  # ${address} will be updated in-place
  ~ resource "aws_instance" "worker" {
        id                                   = "${id}"
      ~ ami                                  = "ami-0a1b2c3d4e5f60718" -> "ami-0f9e8d7c6b5a43210"
      ~ instance_type                        = "m6i.large" -> "m6i.xlarge"
        associate_public_ip_address          = false
        availability_zone                    = "eu-central-1a"
      ~ private_dns                          = "ip-10-${index % 256}.eu-central-1.compute.internal" -> (known after apply)
      + user_data_token                      = "${value}"
      ~ tags                                 = {
          ~ "Revision" = "${index}" -> "${index + 1}"
            "Name"     = "worker-${index}"
            "Team"     = "platform"
        }
        # (28 unchanged attributes hidden)

      ~ root_block_device {
          ~ volume_size           = ${number() % 500} -> ${number() % 500}
            # (7 unchanged attributes hidden)
        }
      ~ ingress {
          ~ cidr_blocks = ["${cidr}"] -> (known after apply)
        }
    }

${address}: Modifying... [id=${id}]
${address}: Modifications complete after ${number() % 60}s [id=${id}]
`
}

/** A small linear congruential generator: varied, and the same in each run. */
function numbers(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 8
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}
