import { setTimeout as sleep } from "node:timers/promises";
import type { Agent } from "../../agent/agent.js";
import { messageOf } from "../failure.js";
import type { Progress } from "./control.js";

/** Between two looks at how far it is. */
const LOOK_MS = 100;

/** Says goodbye for good and waits until the machine's tasks are down. The agent has its session, and is of no use
 *  afterwards, however it went. */
export async function* leaving(agent: Agent): AsyncIterable<Progress> {
  let over = false;
  let failed = "";
  const stopping = agent
    .stop({ kind: "leave" })
    .catch((error: unknown) => {
      failed = messageOf(error);
    })
    .finally(() => {
      over = true;
    });
  for (let last = -1; !over; await Promise.race([stopping, sleep(LOOK_MS)])) {
    const { liveTasks } = agent.status();
    if (liveTasks !== last) yield { waitingFor: liveTasks };
    last = liveTasks;
  }
  const { liveTasks } = agent.status();
  if (failed !== "") yield { failed };
  else if (liveTasks > 0) yield { failed: `${liveTasks} tasks are still not down` };
  else yield { left: true };
}
