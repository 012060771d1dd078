// SPDX-License-Identifier: Apache-2.0
import { after, getTestContext } from 'node:test'

type Close = () => Promise<void>

/** The resources that are open, oldest first. */
const open = new Set<Close>()

/**
 * Returns a function that closes a resource once; the end of the test, or of the suite whose hook opened it, calls it too.
 *
 * A failed assertion skips the `close` at the end of a test. A database or a server that stays open keeps the process of the
 * test file alive, and the run would never end. Newer resources are closed first, because they use the older ones.
 */
export function closeAtEnd(close: Close): Close {
  let closed: Promise<void> | undefined
  const closeOnce = (): Promise<void> => {
    open.delete(closeOnce)
    return (closed ??= close())
  }
  open.add(closeOnce)
  const context = getTestContext()
  const closeAll = () => closeFrom(closeOnce)
  if (context && 'after' in context) context.after(closeAll)
  else if (context) after(closeAll)
  return closeOnce
}

/** Closes a resource that is still open, and before it all that were opened later. */
async function closeFrom(oldest: Close): Promise<void> {
  if (!open.has(oldest)) return
  const newestFirst = [...open].toReversed()
  for (const close of newestFirst.slice(0, newestFirst.indexOf(oldest) + 1)) await close()
}
