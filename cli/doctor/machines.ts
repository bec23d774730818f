// The machines: heard, of one identity each, of a version that goes with the server's, in time, with room left.
import { clusterNameOf, clusterNameOfObject } from "../../api/names.js";
import type { ContainerInstance } from "../../api/types.gen.js";
import { versionSkew } from "../../controllers/instance/skew.js";
import { lostPolicy, lostSince } from "../../controllers/task/lost.js";
import { probeKey } from "../api/probes.js";
import { messageOfDisk } from "./disks.js";
import {
  aheadMs,
  type Check,
  duration,
  type Facts,
  type Finding,
  isPresent,
  machineName,
  namespaceFlag,
  note,
  problem,
  serverTime,
} from "./facts.js";
import { MAX_SKEW_MS } from "./server.js";

/** A machine that has a credential needs seconds to come. */
const FIRST_SYNC_MS = 60_000;

const id = (instance: ContainerInstance): string =>
  `${instance.metadata.name.slice(0, 12)}${namespaceFlag(instance.metadata)}`;

/** What is asked of each machine that is present. */
const each =
  (judge: (instance: ContainerInstance, facts: Facts) => Finding[]): Check =>
  (facts) =>
    facts.instances.filter(isPresent).flatMap((instance) => judge(instance, facts));

export const machineChecks: readonly Check[] = [
  ({ instances, unreachable, refused }) =>
    (unreachable ?? refused) === undefined && !instances.some(isPresent)
      ? [
          problem(
            "machines",
            "There is no machine: nothing can run.",
            "`davit token create` prints the line that joins one.",
          ),
        ]
      : [],

  each((instance, facts) => {
    const { status = {} } = instance;
    if (status.status === "REGISTRATION_FAILED")
      return [
        problem(
          "registration",
          `${machineName(instance)} could not register: ${status.statusReason ?? "no reason is known"}.`,
          `Mend that and restart its agent, or let it go: \`davit deregister ${id(instance)} --force\`.`,
        ),
      ];
    if (status.status !== "REGISTERING" && status.status !== undefined) return [];
    const joined = Date.parse(instance.metadata.creationTimestamp);
    const waitsMs = serverTime(facts, facts.nowMs) - joined;
    if (!(waitsMs > FIRST_SYNC_MS)) return [];
    return [
      problem(
        "registration",
        `${machineName(instance)} joined ${duration(waitsMs)} ago and has never been heard on the bus.`,
        `Does its agent run, and does it reach the bus's port? If it is not to come: \`davit deregister ${id(instance)} --force\`.`,
      ),
    ];
  }),

  each((instance, facts) => {
    const { agentConnected, status } = instance.status ?? {};
    if (agentConnected === true || (status !== "ACTIVE" && status !== "DRAINING")) return [];
    const since = lostSince(instance);
    const silentMs = since === undefined ? undefined : serverTime(facts, facts.nowMs) - since;
    const what =
      silentMs === undefined
        ? "is not heard."
        : `has been silent for ${duration(silentMs)}; ${consequence(instance, facts, silentMs)}`;
    return [
      problem(
        "silent agent",
        `${machineName(instance)} ${what}`,
        `Is the machine up, and its agent? If it is gone for good: \`davit deregister ${id(instance)} --force\`.`,
      ),
    ];
  }),

  each((instance, { probes }) => {
    const probe = probes.get(probeKey(instance));
    if (instance.status?.agentConnected !== true || !probe || probe.answer) return [];
    return [
      problem(
        "silent agent",
        `${machineName(instance)} is connected but does not say how it is: ${probe.silence ?? "no answer"}.`,
        "Its agent's log says more; restart the agent (containers run on).",
      ),
    ];
  }),

  each((instance, { diagnosis, probes }) => {
    const server = diagnosis?.value.davitVersion;
    const agent = probes.get(probeKey(instance))?.answer?.agentVersion ?? instance.status?.versionInfo?.agentVersion;
    const skew = server === undefined || agent === undefined ? undefined : versionSkew(server, agent);
    return skew === undefined
      ? []
      : [problem("version", `${machineName(instance)}: ${skew}`, "The server first, then the agents.")];
  }),

  each((instance, facts) => {
    const probe = facts.probes.get(probeKey(instance));
    if (!probe?.answer) return [];
    const uncertain = (probe.receivedMs - probe.sentMs) / 2;
    const middle = (probe.sentMs + probe.receivedMs) / 2;
    const ahead = aheadMs(probe.answer.nowMs, probe) - (serverTime(facts, middle) - middle);
    if (Math.abs(ahead) - uncertain <= MAX_SKEW_MS) return [];
    return [
      problem(
        "clock",
        `${machineName(instance)}'s clock is ${duration(Math.abs(ahead))} ${ahead > 0 ? "ahead of" : "behind"} the server's.`,
        "Let both keep time by NTP (`timedatectl set-ntp true`): credentials and certificates are good from one time to another.",
      ),
    ];
  }),

  each((instance, { probes }) => {
    const { disk, problems = [] } = probes.get(probeKey(instance))?.answer ?? {};
    const full = disk && messageOfDisk(disk);
    return [
      ...(full
        ? [
            problem(
              "disk",
              `${machineName(instance)}: ${disk.path} has ${full}`,
              "There: `docker image prune` removes images that nothing uses, `docker system df` shows what takes the room.",
            ),
          ]
        : []),
      ...problems.map((what) =>
        problem("agent", `${machineName(instance)}: ${what}`, "Its agent says so itself; its log says more."),
      ),
    ];
  }),

  each((instance, facts) => {
    const end = Date.parse(instance.status?.credentialExpiresAt ?? "");
    if (!(end < serverTime(facts, facts.nowMs)) || instance.status?.agentConnected !== true) return [];
    return [
      problem(
        "credential",
        `${machineName(instance)}'s credential expired at ${new Date(end).toISOString()}: it is not being renewed, and its agent can't come back once it is cut off.`,
        "Can that machine reach the API's address over HTTPS? Its agent's log says why it does not renew.",
      ),
    ];
  }),

  ({ instances }) => [...duplicates(instances, "machineId"), ...duplicates(instances, "hostname")],
];

/** What the lost-machines policy will do, and when. Services may have one of their own: this is the cluster's. */
function consequence(instance: ContainerInstance, { clusters }: Facts, silentMs: number): string {
  const cluster = clusters.find(
    (each) =>
      each.metadata.namespace === instance.metadata.namespace &&
      clusterNameOfObject(each) === clusterNameOf(instance.spec.cluster),
  );
  const { action, afterMs } = lostPolicy(undefined, cluster?.spec.lostInstances);
  const tasks = (instance.status?.runningTasksCount ?? 0) + (instance.status?.pendingTasksCount ?? 0);
  if (tasks === 0) return "it has no tasks.";
  const its = `its ${tasks} task${tasks === 1 ? "" : "s"}`;
  if (action === "KEEP") return `${its} ${tasks === 1 ? "stays as it is" : "stay as they are"} (lostInstances: KEEP).`;
  const verb = action === "STOP" ? "stopped" : "replaced";
  const leftMs = afterMs - silentMs;
  return leftMs > 0
    ? `${its} will be ${verb} at ${duration(afterMs)}, in ${duration(leftMs)}.`
    : `${its} ${tasks === 1 ? "was" : "were"} to be ${verb} at ${duration(afterMs)}.`;
}

/** Two objects of one machine: an agent that registered a second time. One that is silent while its twin is heard can go;
 *  several agents of one host that are all heard, each with an identity of its own, are meant. */
function duplicates(instances: readonly ContainerInstance[], by: "machineId" | "hostname"): Finding[] {
  const groups = new Map<string, ContainerInstance[]>();
  for (const instance of instances.filter(isPresent)) {
    const value = instance.status?.[by];
    if (value !== undefined && value !== "")
      groups.set(`${instance.metadata.namespace}/${value}`, [
        ...(groups.get(`${instance.metadata.namespace}/${value}`) ?? []),
        instance,
      ]);
  }
  return [...groups.values()].flatMap((group) => {
    const silent = group.filter(({ status }) => status?.agentConnected !== true);
    const heard = group.length - silent.length;
    const suspicious = by === "machineId" ? group.length > 1 : heard > 0 && silent.some((one) => !hasTwin(one, group));
    if (group.length < 2 || !suspicious) return [];
    const [first] = group;
    const what = `${group.length} machines have the ${by === "machineId" ? "machine id" : "host name"} ${first?.status?.[by]}: ${group
      .map((one) => `${one.metadata.name.slice(0, 12)} (${one.status?.agentConnected ? "connected" : "silent"})`)
      .join(", ")}.`;
    const remedy =
      silent.length > 0 && heard > 0
        ? `If they are one machine, those that are silent can go: ${silent.map((one) => `\`davit deregister ${id(one)} --force\``).join(", ")}.`
        : "Give each agent an id of its own (--machine-id), or deregister those that are not to be.";
    return [by === "machineId" ? problem("duplicate", what, remedy) : note("duplicate", what, remedy)];
  });
}

/** Another of the group has its machine id: told already. */
const hasTwin = (one: ContainerInstance, group: readonly ContainerInstance[]): boolean =>
  one.status?.machineId !== undefined &&
  group.some((other) => other !== one && other.status?.machineId === one.status?.machineId);
