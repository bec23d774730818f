// How `davit doctor` tells what it found.
import { bold, green, grey, red, yellow } from "../output/terminal.js";
import { isProblem } from "./checks.js";
import { type Facts, type Finding, isPresent } from "./facts.js";

export const page = (facts: Facts, findings: readonly Finding[]): string =>
  told(`${bold("Davit")} at ${facts.server}${size(facts)}.`, findings);

/** Where there is none to ask. */
export const pageWithout = (kubeconfig: string, findings: readonly Finding[]): string =>
  told(`No Davit is known here yet (there is no ${kubeconfig}).`, findings);

function told(head: string, findings: readonly Finding[]): string {
  const problems = findings.filter(isProblem).length;
  const verdict =
    problems === 0 ? green("Nothing is wrong.") : red(`${problems} thing${problems === 1 ? " is" : "s are"} wrong.`);
  return [`${head} ${verdict}`, ...findings.map(line)].join("\n");
}

function size({ unreachable, refused, instances, services, tasks }: Facts): string {
  if ((unreachable ?? refused) !== undefined) return "";
  const running = tasks.filter(({ status }) => status?.lastStatus === "RUNNING").length;
  return `: ${plural(instances.filter(isPresent).length, "machine")}, ${plural(services.length, "service")}, ${plural(running, "running task")}`;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

const line = (finding: Finding): string =>
  `${isProblem(finding) ? red("✗") : yellow("·")} ${finding.what}\n    ${grey("→")} ${finding.remedy}`;
