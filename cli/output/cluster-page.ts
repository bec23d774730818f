// A cluster on its page: what it holds, what it gives to those who say nothing else, and what keeps it from going.
import { clusterNameOf, clusterNameOfObject } from "../../api/names.js";
import type { Cluster, ContainerInstance, Service } from "../../api/types.gen.js";
import { columns } from "./columns.js";
import type { KindPage } from "./page.js";

export interface ClusterContents {
  /** Names of those that are not being deleted. */
  services: readonly string[];
  /** Hostnames of those that have not left. */
  machines: readonly string[];
}

export function clusterContents(
  cluster: Cluster,
  services: readonly Service[],
  machines: readonly ContainerInstance[],
): ClusterContents {
  const name = clusterNameOfObject(cluster);
  const isIn = ({ spec }: Service | ContainerInstance): boolean => clusterNameOf(spec.cluster) === name;
  return {
    services: services
      .filter((service) => isIn(service) && service.metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name),
    machines: machines
      .filter((machine) => isIn(machine) && machine.status?.status !== "INACTIVE")
      .map(({ metadata, status }) => status?.hostname ?? metadata.name),
  };
}

export function clusterPage(cluster: Cluster, contents?: ClusterContents): KindPage {
  const { spec, status = {} } = cluster;
  const counted = (status.statistics ?? []).filter(({ value }) => value !== "0");
  return {
    fields: [
      ["ARN", status.clusterArn],
      ["Cluster name", clusterNameOfObject(cluster)],
      ["State", status.status],
      ["Machines", `${status.registeredContainerInstancesCount ?? 0} registered`],
      ["Tasks", `${status.runningTasksCount ?? 0} running, ${status.pendingTasksCount ?? 0} pending`],
      ["Services", `${status.activeServicesCount ?? 0} active`],
      ["Deletion", contents && deletion(contents)],
    ],
    sections: [
      ["Defaults", columns(["WHAT", "VALUE"], defaults(spec))],
      [
        "Statistics",
        counted.length > 0
          ? columns(
              ["COUNT", "VALUE"],
              counted.map(({ name = "", value = "" }) => [name, value]),
            )
          : "",
      ],
    ],
  };
}

function deletion({ services, machines }: ClusterContents): string {
  const parts = [...phrase("service", services), ...phrase("machine", machines)];
  return parts.length === 0 ? "possible: it holds nothing" : `refused while it holds ${parts.join(" and ")}`;
}

const SHOWN = 5;
const phrase = (what: string, names: readonly string[]): string[] => {
  if (names.length === 0) return [];
  const shown = `${names.slice(0, SHOWN).join(", ")}${names.length > SHOWN ? ", …" : ""}`;
  return [`${names.length} ${what}${names.length === 1 ? "" : "s"} (${shown})`];
};

/** As its condition `FieldsIgnored` says. */
const LATER = " (not acted on yet)";

/** What holds where a service or task says nothing else. */
function defaults({ lostInstances = {}, stoppedTaskRetention = {}, ...spec }: Cluster["spec"]): string[][] {
  const { action = "REPLACE", afterSeconds = 300, onReturn = "REPLACEMENT" } = lostInstances;
  const { perTaskSet = 5, perCluster = 1_000 } = stoppedTaskRetention;
  const { subnets } = spec.defaultNetworkConfiguration?.awsvpcConfiguration ?? {};
  const lost = {
    REPLACE: `replaced after ${afterSeconds} s; who wins on return: ${onReturn}`,
    STOP: `stopped by their agent and replaced after ${afterSeconds} s`,
    KEEP: "left as they are",
  };
  return [
    ["Tasks of a lost machine", lost[action]],
    ["Stopped tasks kept", `${perTaskSet} per task set, ${perCluster} in the cluster`],
    ["Logs kept", spec.logRetentionInDays === undefined ? "" : `${spec.logRetentionInDays} days${LATER}`],
    ["Networks", subnets === undefined ? "" : `${subnets.join(", ")}${LATER}`],
  ].filter(([, value]) => value !== "");
}
