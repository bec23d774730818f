// What a service says about itself: ECS's own sentences (spec/09 §7), newest first.
import type { ServiceEvent } from "../../api/types.gen.js";

/** As many as ECS shows. */
export const KEPT_EVENTS = 100;
/** An unchanged message is not said again until so much later (spec/09 §7). */
export const QUIET_MS = 6 * 60 * 60_000;
/** ECS names up to so many tasks in one message. */
const TASKS_PER_MESSAGE = 10;

/** `(service web) has started 2 tasks: (task ID) (task ID).`, ten tasks a message. */
export function startedMessages(service: string, taskIds: readonly string[]): string[] {
  const messages: string[] = [];
  for (let from = 0; from < taskIds.length; from += TASKS_PER_MESSAGE) {
    const part = taskIds.slice(from, from + TASKS_PER_MESSAGE);
    const names = part.map((id) => `(task ${id})`).join(" ");
    messages.push(`(service ${service}) has started ${part.length} tasks: ${names}.`);
  }
  return messages;
}
/** Tasks that were asked to stop, in the same form. */
export function stoppedMessages(service: string, taskIds: readonly string[]): string[] {
  return startedMessages(service, taskIds).map((message) =>
    message.replace(" has started ", " has stopped ").replace(" tasks: ", " running tasks: "),
  );
}
export const steadyMessage = (service: string): string => `(service ${service}) has reached a steady state.`;
export const throttledMessage = (service: string): string =>
  `(service ${service}) is unable to consistently start tasks successfully.`;

/** Davit's own: ECS says nothing of a drain that its percents do not allow. */
export const unableToDrainMessage = (service: string, instance: string, why: string): string =>
  `(service ${service}) was unable to leave (instance ${instance}), which is draining: ${why}.`;

/** The list with these messages in front. A message that was said within six hours, and not resolved since by a
 *  steady state, is not repeated (09-45). The same list if there is nothing new. */
export function addEvents(
  events: readonly ServiceEvent[] | undefined,
  messages: readonly string[],
  nowMs: number,
  newId: () => string,
): ServiceEvent[] {
  let list = (events ?? []) as ServiceEvent[];
  for (const message of messages) {
    if (wasSaid(list, message, nowMs)) continue;
    list = [{ id: newId(), createdAt: new Date(nowMs).toISOString(), message }, ...list.slice(0, KEPT_EVENTS - 1)];
  }
  return list;
}

function wasSaid(events: readonly ServiceEvent[], message: string, nowMs: number): boolean {
  for (const event of events) {
    if (event.message === message) return Date.parse(event.createdAt) + QUIET_MS > nowMs;
    if (event.message.endsWith("has reached a steady state.")) return false;
  }
  return false;
}
