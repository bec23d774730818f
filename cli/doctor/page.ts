// How `davit doctor` tells what it found.
import { bold, green, grey, red, yellow } from "../output/terminal.js";
import { isProblem } from "./checks.js";
import { type Facts, type Finding, isPresent } from "./facts.js";

export function page(facts: Facts, findings: readonly Finding[]): string {
  const problems = findings.filter(isProblem);
  const verdict =
    problems.length === 0
      ? green("Nothing is wrong.")
      : red(`${problems.length} thing${problems.length === 1 ? " is" : "s are"} wrong.`);
  return [`${bold("Davit")} at ${facts.server}${size(facts)}. ${verdict}`, ...findings.map(told)].join("\n");
}

function size({ unreachable, refused, instances, services, tasks }: Facts): string {
  if ((unreachable ?? refused) !== undefined) return "";
  const running = tasks.filter(({ status }) => status?.lastStatus === "RUNNING").length;
  return `: ${plural(instances.filter(isPresent).length, "machine")}, ${plural(services.length, "service")}, ${plural(running, "running task")}`;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

const told = (finding: Finding): string =>
  `${isProblem(finding) ? red("✗") : yellow("·")} ${finding.what}\n    ${grey("→")} ${finding.remedy}`;
