// Small assignments and definitions; a test names only what matters to it.
import { createHash } from "node:crypto";
import type { Log } from "../../../api/log.js";
import type { ContainerDefinition, TaskDefinitionRevisionSpec } from "../../../api/types.gen.js";
import type { Assignment } from "../../../bus/messages.js";

export const hex = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);

export const container = (change: Partial<ContainerDefinition> = {}): ContainerDefinition => ({
  name: "web",
  image: "web:1",
  memory: 16,
  ...change,
});

export const revision = (
  containers: ContainerDefinition[] = [container()],
  change: Partial<TaskDefinitionRevisionSpec> = {},
): TaskDefinitionRevisionSpec => ({
  family: "shop",
  revision: 1,
  contentHash: hex(JSON.stringify(containers)),
  containerDefinitions: containers,
  ...change,
});

export const assignment = (name: string, change: Partial<Assignment> = {}): Assignment => ({
  task: hex(name),
  namespace: "default",
  name,
  cluster: "default",
  revision: "shop:1",
  desiredStatus: "RUNNING",
  taskArn: `arn:aws:ecs:local:000000000000:task/default/${hex(name)}`,
  ...change,
});

export const quiet: Log = { info() {}, warn() {}, error() {} };

/** Remembers messages, to look for one. */
export function recordingLog(): Log & { lines: string[] } {
  const lines: string[] = [];
  const add = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { lines, info: add, warn: add, error: add };
}
