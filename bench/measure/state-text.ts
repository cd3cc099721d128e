/** States as terraform writes them, of any size: indented, a resource of many instances. */

/** Text of a whole state of `sizeBytes`, at least as many as an empty one has. */
export function stateText(sizeBytes: number, { serial, lineage }: { serial: number; lineage: string }): string {
  const head = `{
  "version": 4,
  "terraform_version": "1.11.4",
  "serial": ${serial},
  "lineage": ${JSON.stringify(lineage)},
  "outputs": {},
  "resources": [
    {
      "mode": "managed",
      "type": "terraform_data",
      "name": "many",
      "provider": "provider[\\"terraform.io/builtin/terraform\\"]",
      "instances": [
`
  const foot = `
      ]
    }
  ],
  "check_results": null
}
`
  const pieces = [head]
  let left = sizeBytes - head.length - foot.length
  for (let index = 0; left > 0; index++) {
    const text = `${index === 0 ? '' : ',\n'}${instance(index)}`
    if (text.length + 200 > left) {
      pieces.push(text, ' '.repeat(Math.max(0, left - text.length)))
      break
    }
    pieces.push(text)
    left -= text.length
  }
  return [...pieces, foot].join('')
}

/** Hex of its own in each, so that it packs about as well as real ones do. */
function instance(index: number): string {
  const id = (Math.imul(index + 1, 2_654_435_761) >>> 0).toString(16).padStart(8, '0')
  const word = (salt: number) => (Math.imul(index + salt, 1_597_334_677) >>> 0).toString(16).padStart(8, '0')
  return `        {
          "index_key": ${index},
          "schema_version": 0,
          "attributes": {
            "id": "${id}-${word(3).slice(0, 4)}-4${word(5).slice(0, 3)}-9${word(7).slice(0, 3)}-${id}${word(11).slice(0, 4)}",
            "input": {
              "value": {
                "arn": "arn:aws:ec2:eu-central-1:123456789012:instance/i-${id}${word(13)}",
                "private_ip": "10.${index & 255}.${(index >> 8) & 255}.${index % 251}",
                "tags": { "Name": "worker-${index}", "team": "platform", "env": "prod", "owner": "${word(17)}" }
              },
              "type": ["object", { "arn": "string", "private_ip": "string", "tags": ["map", "string"] }]
            },
            "output": null,
            "triggers_replace": null
          },
          "sensitive_attributes": []
        }`
}
