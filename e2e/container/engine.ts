/** What the tests ask of a container engine. */

/** Build, measure, run. Containers share the host's network, so that every engine reaches loopback alike. */
export interface Engine {
  readonly name: string
  /** Builds `dockerfile` with `context` as its folder and names the image. */
  build(options: { dockerfile: string; context: string; image: string; args?: Record<string, string> }): Promise<void>
  /** Whether this image is here or can be had. */
  has(image: string): Promise<boolean>
  sizeBytes(image: string): Promise<number>
  /** A new volume that the image's user owns at `mountPoint`; it outlives containers and is removed by its dispose. */
  volume(): Promise<Volume>
  start(options: StartOptions): Promise<Container>
}

/** Something that outlives a container; `source` is the engine's word for it. */
export interface Volume extends AsyncDisposable {
  source: string
}

/** `mounts` maps a source (a volume's or a host file's) to its place; a host file is read-only. */
export interface StartOptions {
  image: string
  env: Record<string, string>
  volumes: { volume: Volume; at: string }[]
  files?: Record<string, string>
}

/** A running container: its entry point is the image's. Disposing kills and removes it. */
export interface Container extends AsyncDisposable {
  /** Lines of stdout and stderr so far. */
  readonly lines: readonly string[]
  /** Runs a command beside it, as the image's user; answers its exit code and output. */
  exec(command: string[]): Promise<{ code: number; output: string }>
  /** Runs the image’s own health command; 0 is healthy. */
  health(): Promise<{ code: number; output: string }>
  /** Sends the stop signal, waits up to `graceMs`, then kills all of it. Answers whether it had to kill. */
  stop(graceMs: number): Promise<{ killed: boolean }>
}
