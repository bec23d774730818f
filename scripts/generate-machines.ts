// From the machines: the transition tables of the hot path, and the diagrams of the documentation.
import type { AnyStateMachine } from "xstate";
import { MACHINES } from "../state-machines/machines.js";

export interface GeneratedFile {
  /** From the repository's root. */
  readonly path: string;
  readonly content: string;
}

interface Table {
  readonly initial: string;
  readonly states: readonly string[];
  readonly events: readonly string[];
  readonly transitions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A flat machine without guards or context as a table. @throws when a machine needs more than a table can say. */
export function tableOf(machine: AnyStateMachine): Table {
  const transitions: Record<string, Record<string, string>> = {};
  for (const [state, node] of Object.entries(machine.states)) {
    const row: Record<string, string> = {};
    for (const [event, candidates] of node.transitions) {
      const [only, ...others] = candidates;
      const target = only?.target?.[0];
      if (others.length > 0 || only?.guard !== undefined || target?.parent !== machine.root)
        throw new Error(
          `machine ${machine.id}: ${event} in ${state} is more than one plain move; a table cannot say it`,
        );
      row[event] = target.key;
    }
    transitions[state] = row;
  }
  const events = [...new Set(Object.values(transitions).flatMap((row) => Object.keys(row)))];
  const initial = machine.root.initial.target[0]?.key;
  if (initial === undefined) throw new Error(`machine ${machine.id} has no initial state`);
  return { initial, states: Object.keys(transitions), events, transitions };
}

const fileOf = (kind: string): string => kind.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();

function tablesFile(): GeneratedFile {
  const imports = MACHINES.map(({ kind }) => {
    const names = kind === "Task" || kind === "Container" ? `${kind}Event` : `${kind}Event, ${kind}State`;
    return `import type { ${names} } from "./${fileOf(kind)}.js";`;
  });
  const tables = MACHINES.map(
    ({ constant, kind, machine }) =>
      `export const ${constant}: MachineTable<${kind}State, ${kind}Event> = ${JSON.stringify(tableOf(machine), null, 2)};`,
  );
  const head = [
    "// Generated from the machines by `npm run generate`. Do not edit.",
    'import type { ContainerState, TaskState } from "../api/types.gen.js";',
    'import type { MachineTable } from "./advance.js";',
    ...imports,
  ];
  return { path: "state-machines/tables.gen.ts", content: `${head.join("\n")}\n\n${tables.join("\n\n")}\n` };
}

/** Mermaid's state diagram; events that lead to the same state share an arrow. */
function diagramOf(table: Table): string {
  const lines = [`  [*] --> ${table.initial}`];
  for (const [state, row] of Object.entries(table.transitions)) {
    const arrows = new Map<string, string[]>();
    for (const [event, to] of Object.entries(row)) arrows.set(to, [...(arrows.get(to) ?? []), event]);
    for (const [to, events] of arrows) lines.push(`  ${state} --> ${to}: ${events.join(", ")}`);
    if (arrows.size === 0) lines.push(`  ${state} --> [*]`);
  }
  return ["```mermaid", "stateDiagram-v2", ...lines, "```"].join("\n");
}

function documentFile(): GeneratedFile {
  const sections = MACHINES.map(({ kind, machine }) => {
    const table = tableOf(machine);
    return `## ${kind}\n\nWhat each event means: [state-machines/${fileOf(kind)}.ts](../state-machines/${fileOf(kind)}.ts).\n\n${diagramOf(table)}`;
  });
  const head =
    "# State machines\n\n" +
    "Generated from `state-machines/*.machine.ts` by `npm run generate`. Do not edit.\n\n" +
    "Every move that an object may make is an arrow here; there are no others. A state may be skipped where an arrow " +
    "skips it, and no arrow leads back in a task's life. The state is stored in the object's `status`, so a restart " +
    "replays nothing; deadlines are data there too, never timers in a machine.";
  return { path: "docs/state-machines.md", content: `${[head, ...sections].join("\n\n")}\n` };
}

/** What `npm run generate` writes, or compares where it only checks. */
export const machineFiles = (): GeneratedFile[] => [tablesFile(), documentFile()];
