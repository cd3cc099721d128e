import { describe, expect, it } from 'vitest'
import { ClosingStack } from './closing-stack.js'

describe('a closing stack', () => {
  it('closes the last first, waits for each, and closes all though one fails', async () => {
    const closed: string[] = []
    const stack = new ClosingStack()
    stack.use({ [Symbol.dispose]: () => void closed.push('first') })
    stack.defer(() => {
      throw new Error('second failed')
    })
    stack.use({
      async [Symbol.asyncDispose]() {
        await Promise.resolve()
        closed.push('third')
      },
    })
    await expect(stack[Symbol.asyncDispose]()).rejects.toThrow('second failed')
    expect(closed).toEqual(['third', 'first'])
  })

  it('closes nothing of what it handed over', async () => {
    const closed: string[] = []
    const stack = new ClosingStack()
    stack.defer(() => closed.push('part'))
    const moved = stack.move()
    await stack[Symbol.asyncDispose]()
    expect(closed).toEqual([])
    await moved[Symbol.asyncDispose]()
    expect(closed).toEqual(['part'])
  })
})
