// SPDX-License-Identifier: Apache-2.0

/** Runs a long computation to its end, and lets others have their turn after each of its steps; its failure is thrown. */
export async function inSteps<Value>(steps: Generator<unknown, Value>): Promise<Value> {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
