import type { Facts, Finding } from "./facts.js";
import { localChecks } from "./local.js";
import { machineChecks } from "./machines.js";
import { serverChecks } from "./server.js";
import { taskChecks } from "./tasks.js";
import { tokenChecks } from "./tokens.js";

const CHECKS = [...serverChecks, ...localChecks, ...machineChecks, ...taskChecks, ...tokenChecks];

/** Every finding, the problems first. */
export function examine(facts: Facts): Finding[] {
  const findings = CHECKS.flatMap((check) => check(facts));
  return [...findings.filter(isProblem), ...findings.filter((finding) => !isProblem(finding))];
}

export const isProblem = ({ severity }: Finding): boolean => severity === "problem";
