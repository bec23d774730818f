// When sessions' pushes go out: one batch per machine for all that one commit has changed.
import type { ControlBus } from "../../bus/transport.js";
import type { Session } from "./session.js";

export interface Pushes {
  /** There is something to say in this session. */
  schedule(session: Session): void;
  stop(): void;
}

/** @param isOpen what a session has to say that has ended meanwhile, nobody is to hear any more */
export function createPushes(bus: ControlBus, now: () => number, isOpen: (session: Session) => boolean): Pushes {
  const dirty = new Set<Session>();
  let flush: NodeJS.Immediate | undefined;

  function send(): void {
    flush = undefined;
    for (const session of dirty) {
      const push = isOpen(session) ? session.push(now()) : undefined;
      if (push) bus.push(session.instance, push);
    }
    dirty.clear();
  }
  return {
    schedule(session) {
      dirty.add(session);
      flush ??= setImmediate(send);
    },
    stop() {
      if (flush) clearImmediate(flush);
    },
  };
}
