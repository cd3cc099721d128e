/** Values that must never be printed, and where they come from. */
import { readFile } from 'node:fs/promises'
import { inspect } from 'node:util'

const shown = '[redacted]'

/** A string that prints as `[redacted]` in logs, JSON, templates and errors; `reveal()` is the only way to it. */
export class Secret {
  readonly #value: string
  constructor(value: string) {
    this.#value = value
  }
  reveal(): string {
    return this.#value
  }
  toString(): string {
    return shown
  }
  toJSON(): string {
    return shown
  }
  [inspect.custom](): string {
    return shown
  }
}

/** A secret and its origin; one from a file can be read again after it was rotated. */
export class SecretSource {
  #current: Secret
  private constructor(
    secret: Secret,
    /** for error messages: `IAC_AGENT_APP_SECRET` or `--app-secret-file (/run/secrets/x)` */
    readonly origin: string,
    private readonly file: string | undefined,
  ) {
    this.#current = secret
  }

  static ofValue(value: string, origin: string): SecretSource {
    return new SecretSource(new Secret(value), origin, undefined)
  }

  /** Reads the file's text without its trailing line end. Rejects with the OS error or when the file is empty. */
  static async ofFile(file: string, origin: string): Promise<SecretSource> {
    return new SecretSource(await readSecret(file), `${origin} (${file})`, file)
  }

  get current(): Secret {
    return this.#current
  }

  /** Reads the file again; a secret given by value stays as it is. Rejects as `ofFile`; the former secret is kept then. */
  async reload(): Promise<Secret> {
    if (this.file !== undefined) this.#current = await readSecret(this.file)
    return this.#current
  }
}

async function readSecret(file: string): Promise<Secret> {
  const text = (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
  if (text === '') throw new Error(`${file} is empty`)
  return new Secret(text)
}
