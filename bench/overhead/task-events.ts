/** The cheapest way an operator hears of a task's end: the server's events say that it changed, a GET says how. */
import type { OperatorClient } from '@iac-agent/client'

export class TaskEvents implements AsyncDisposable {
  readonly #waiting = new Map<number, () => void>()
  readonly #reading: Promise<void>

  private constructor(private readonly reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reading = this.#read()
  }

  static async open(client: OperatorClient): Promise<TaskEvents> {
    const { body } = await client.tasks.events()
    if (body === null) throw new Error('the stream of events has no body')
    return new TaskEvents(body.getReader())
  }

  /** Asks `look` at once and after each event of the task, until it has an answer. */
  async until<T>(taskId: number, look: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const changed = new Promise<void>((resolve) => this.#waiting.set(taskId, resolve))
      const answer = await look()
      if (answer !== undefined) return answer
      await changed
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reader.cancel()
    await this.#reading
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder()
    let text = ''
    for (;;) {
      const { done, value } = await this.reader.read()
      if (done) return
      text += decoder.decode(value, { stream: true })
      const end = text.lastIndexOf('\n') + 1
      for (const [, id] of text.slice(0, end).matchAll(/^data: \{"task_id":(\d+)\}$/gm))
        this.#waiting.get(Number(id))?.()
      text = text.slice(end)
    }
  }
}
