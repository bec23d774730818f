// The one table of fields that are accepted but not acted on (yet): a field without a row here is acted on.
// docs/status.md is generated from it.
import {
  type FieldRule,
  type FieldRules,
  isRecord,
  ofType,
  otherThan,
  type ValueTest,
  whenEnabled,
} from "./field-rules.js";
import { TASK_DEFINITION } from "./field-table-task-definition.js";
import type { Kind } from "./types.gen.js";

const ZONE = "attribute:ecs.availability-zone";
/** What placement reads of a strategy: zones first or not, and then which machine. */
const beyondZoneAndMachine: ValueTest = {
  text: "beyond zones first, then one more",
  applies(value) {
    const [first, ...others]: unknown[] = Array.isArray(value) ? value : [];
    const byZone = isRecord(first) && first.type === "spread" && first.field === ZONE;
    const rest = byZone ? others : [first, ...others];
    const byAttribute = (item: unknown): boolean => isRecord(item) && String(item.field).startsWith("attribute:");
    return first !== undefined && (rest.length > 1 || rest.some(byAttribute));
  },
};
const PLACEMENT: readonly FieldRule[] = [
  { path: "placementConstraints", instead: "every machine is a candidate", when: ofType("memberOf") },
  { path: "placementStrategy", instead: "the rest of the list has no effect", when: beyondZoneAndMachine },
  { path: "capacityProviderStrategy", instead: "any machine with an agent is used" },
  { path: "platformVersion", instead: "there is one platform" },
  { path: "launchType", instead: "any machine with an agent is used", when: otherThan("EC2", "EXTERNAL") },
];
const JOB: readonly FieldRule[] = [
  { path: "enableExecuteCommand", instead: "commands cannot be run in containers yet" },
  { path: "networkConfiguration", instead: "only networkMode awsvpc, which is not run yet, would need it" },
];

/** Per kind. Kinds that Davit writes itself, but for revisions, have no rows. */
export const FIELDS: { readonly [K in Kind]: FieldRules } = {
  Cluster: {
    ignored: [
      { path: "settings", instead: "metrics are the same for every cluster" },
      { path: "configuration", instead: "commands cannot be run in containers yet" },
      { path: "capacityProviders", instead: "any machine with an agent is used" },
      { path: "defaultCapacityProviderStrategy", instead: "any machine with an agent is used" },
      { path: "serviceConnectDefaults", instead: "there is no Service Connect yet" },
      { path: "defaultNetworkConfiguration", instead: "networkMode awsvpc is not run yet" },
      { path: "logRetentionInDays", instead: "logs live as long as their containers" },
    ],
    notImplemented: [],
  },
  TaskDefinition: TASK_DEFINITION,
  TaskDefinitionFamily: { ignored: [], notImplemented: [] },
  TaskDefinitionRevision: TASK_DEFINITION,
  Service: {
    ignored: [
      ...PLACEMENT,
      ...JOB,
      { path: "loadBalancers", instead: "tasks run, and take traffic on their own ports" },
      { path: "serviceRegistries", instead: "tasks run, and are entered nowhere" },
      { path: "serviceConnectConfiguration", instead: "tasks run without proxies", when: whenEnabled },
      { path: "vpcLatticeConfigurations", instead: "tasks run, and are entered nowhere" },
      { path: "monitoring", instead: "metrics are the same for every service" },
      {
        path: "availabilityZoneRebalancing",
        instead: "running tasks are not moved",
        when: otherThan("DISABLED"),
      },
      {
        path: "deploymentConfiguration.deploymentCircuitBreaker",
        instead: "a deployment tries on, with growing pauses",
        when: whenEnabled,
      },
      { path: "deploymentConfiguration.alarms", instead: "there are no alarms yet", when: whenEnabled },
      {
        path: "deploymentConfiguration.strategy",
        instead: "tasks are replaced as in ROLLING",
        when: otherThan("ROLLING"),
      },
      { path: "deploymentConfiguration.bakeTimeInMinutes", instead: "old tasks stop as soon as new ones are healthy" },
      { path: "deploymentConfiguration.lifecycleHooks", instead: "no hook is called" },
      { path: "deploymentConfiguration.linearConfiguration", instead: "tasks are replaced as in ROLLING" },
      { path: "deploymentConfiguration.canaryConfiguration", instead: "tasks are replaced as in ROLLING" },
      {
        path: "deploymentConfiguration.earlySuccessCriteria",
        instead: "a deployment is complete when every task is replaced",
        when: whenEnabled,
      },
    ],
    notImplemented: [
      { path: "schedulingStrategy", instead: "REPLICA runs", when: otherThan("REPLICA") },
      { path: "deploymentController.type", instead: "ECS runs", when: otherThan("ECS") },
      { path: "volumeConfigurations", instead: "no volumes are made" },
    ],
  },
  TaskSet: { ignored: [], notImplemented: [] },
  Task: {
    ignored: [
      ...PLACEMENT,
      ...JOB,
      { path: "overrides.taskRoleArn", instead: "containers get no credentials" },
      { path: "overrides.executionRoleArn", instead: "images are pulled as the machine's Docker is logged in" },
      { path: "overrides.ephemeralStorage", instead: "scratch storage is as large as the machine's disk" },
      { path: "overrides.inferenceAcceleratorOverrides", instead: "no devices are assigned" },
    ],
    notImplemented: [
      { path: "overrides.containerOverrides[].environmentFiles", instead: "the variables would be missing" },
      { path: "overrides.containerOverrides[].resourceRequirements", instead: "no devices are assigned" },
      { path: "volumeConfigurations", instead: "no volumes are made" },
    ],
  },
  ContainerInstance: {
    ignored: [],
    notImplemented: [],
  },
  AccessToken: { ignored: [], notImplemented: [] },
};
