// The one table of fields that are accepted but not acted on (yet): a field without a row here is acted on.
// docs/status.md is generated from it.
import {
  anySet,
  type FieldRule,
  type FieldRules,
  otherThan,
  type ValueTest,
  whenEnabled,
  withOneOf,
} from "./field-rules.js";
import type { Kind } from "./types.gen.js";

const TAGS: FieldRule = { path: "tags", instead: "stored, but not passed on to tasks and events" };
const PLACEMENT: readonly FieldRule[] = [
  { path: "placementConstraints", instead: "placement looks at cpu, memory and ports, and balances" },
  { path: "placementStrategy", instead: "placement balances over zones and machines" },
  { path: "capacityProviderStrategy", instead: "any machine with an agent is used" },
  { path: "platformVersion", instead: "there is one platform" },
  { path: "launchType", instead: "any machine with an agent is used", when: otherThan("EC2", "EXTERNAL") },
];
const JOB: readonly FieldRule[] = [
  { path: "enableExecuteCommand", instead: "commands cannot be run in containers yet" },
  { path: "enableECSManagedTags", instead: "tasks get no tags" },
  { path: "propagateTags", instead: "tasks get no tags", when: otherThan("NONE") },
  { path: "networkConfiguration", instead: "only networkMode awsvpc, which is not run yet, would need it" },
];

const CONTAINER = "containerDefinitions[]";
const DRIVERS_RUN = ["json-file", "none"];
const onOtherDriver: ValueTest = {
  text: "of another driver",
  applies: (value, parent) => anySet.applies(value, parent) && !DRIVERS_RUN.includes(String(parent.logDriver)),
};

const TASK_DEFINITION: FieldRules = {
  ignored: [
    TAGS,
    { path: "taskRoleArn", instead: "containers get no credentials" },
    { path: "executionRoleArn", instead: "images are pulled as the machine's Docker is logged in" },
    { path: "placementConstraints", instead: "placement looks at cpu, memory and ports, and balances" },
    {
      path: "requiresCompatibilities",
      instead: "Fargate's own rules are not checked; any machine with an agent is used",
      when: withOneOf("FARGATE", "MANAGED_INSTANCES"),
    },
    {
      path: "runtimePlatform.cpuArchitecture",
      instead: "placement does not look at processors",
      when: otherThan("X86_64"),
    },
    { path: "ephemeralStorage", instead: "scratch storage is as large as the machine's disk" },
    { path: "enableFaultInjection", instead: "no faults are injected" },
    {
      path: `${CONTAINER}.logConfiguration.logDriver`,
      instead: "the output goes to the machine's json-file driver, where `davit logs` finds it",
      when: otherThan(...DRIVERS_RUN),
    },
    {
      path: `${CONTAINER}.logConfiguration.options`,
      instead: "belongs to a driver that is not used",
      when: onOtherDriver,
    },
    { path: `${CONTAINER}.logConfiguration.secretOptions`, instead: "belongs to a driver that is not used" },
    {
      path: `${CONTAINER}.firelensConfiguration`,
      instead: "the log router runs, but gets no other container's output",
    },
    { path: `${CONTAINER}.portMappings[].name`, instead: "ports are not entered for discovery" },
    { path: `${CONTAINER}.portMappings[].appProtocol`, instead: "traffic is not looked into" },
    { path: `${CONTAINER}.startTimeout`, instead: "containers do not wait for each other yet" },
    {
      path: `${CONTAINER}.versionConsistency`,
      instead: "each task takes what the tag points to when it starts",
      when: otherThan("disabled"),
    },
    { path: `${CONTAINER}.linuxParameters.maxSwap`, instead: "swap is as the machine has it" },
    { path: `${CONTAINER}.linuxParameters.swappiness`, instead: "swap is as the machine has it" },
  ],
  notImplemented: [
    { path: "networkMode", instead: "bridge and host run", when: otherThan("bridge", "host") },
    { path: "pidMode", instead: "each container has its own processes" },
    { path: "ipcMode", instead: "as the machine's Docker is set" },
    { path: "proxyConfiguration", instead: "no traffic is redirected" },
    { path: "inferenceAccelerators", instead: "no devices are assigned" },
    { path: "runtimePlatform.operatingSystemFamily", instead: "machines run Linux", when: otherThan("LINUX") },
    ...containerRows({
      mountPoints: "nothing would be mounted",
      volumesFrom: "nothing would be mounted",
      secrets: "the variables would be missing",
      environmentFiles: "the variables would be missing",
      dependsOn: "all containers would start at once",
      links: "the names would not resolve",
      user: "the image's user would run it",
      privileged: "it would have no elevated rights",
      readonlyRootFilesystem: "the root file system would be writable",
      "linuxParameters.capabilities": "it would have Docker's default set",
      "linuxParameters.devices": "the devices would be missing",
      "linuxParameters.initProcessEnabled": "no init would reap processes",
      "linuxParameters.sharedMemorySize": "/dev/shm would have Docker's default size",
      "linuxParameters.tmpfs": "the file systems would be missing",
      ulimits: "the machine's limits would hold",
      systemControls: "the kernel parameters would not be set",
      resourceRequirements: "no devices are assigned",
      repositoryCredentials: "the image could not be pulled",
      disableNetworking: "it would have a network",
      hostname: "it would have a name of Docker's making",
      dnsServers: "the machine's servers would be asked",
      dnsSearchDomains: "the machine's domains would be searched",
      extraHosts: "the names would not resolve",
      dockerSecurityOptions: "Docker's default profile would hold",
      interactive: "standard input would be closed",
      pseudoTerminal: "there would be no terminal",
      credentialSpecs: "it would have no domain account",
      "portMappings[].containerPortRange": "the ports would not be published",
    }),
    {
      path: `${CONTAINER}.restartPolicy`,
      instead: "the container would not be restarted alone",
      when: whenEnabled,
    },
    { path: "volumes", instead: "no volumes are made" },
  ],
};

function containerRows(rows: Readonly<Record<string, string>>): FieldRule[] {
  return Object.entries(rows).map(([path, instead]) => ({ path: `${CONTAINER}.${path}`, instead }));
}

/** Per kind. Kinds that Davit writes itself, but for revisions, have no rows. */
export const FIELDS: { readonly [K in Kind]: FieldRules } = {
  Cluster: {
    ignored: [
      TAGS,
      { path: "settings", instead: "metrics are the same for every cluster" },
      { path: "configuration", instead: "commands cannot be run in containers yet" },
      { path: "capacityProviders", instead: "any machine with an agent is used" },
      { path: "defaultCapacityProviderStrategy", instead: "any machine with an agent is used" },
      { path: "serviceConnectDefaults", instead: "there is no Service Connect yet" },
      { path: "defaultNetworkConfiguration", instead: "networkMode awsvpc is not run yet" },
      { path: "logRetentionInDays", instead: "logs live as long as their containers" },
      { path: "stoppedTaskRetention", instead: "5 per task set and 1000 per cluster are kept" },
      { path: "lostInstances", instead: "tasks of a lost machine keep their state until it is back" },
    ],
    notImplemented: [],
  },
  TaskDefinition: TASK_DEFINITION,
  TaskDefinitionFamily: { ignored: [], notImplemented: [] },
  TaskDefinitionRevision: TASK_DEFINITION,
  Service: {
    ignored: [
      TAGS,
      ...PLACEMENT,
      ...JOB,
      { path: "loadBalancers", instead: "tasks run, and take traffic on their own ports" },
      { path: "serviceRegistries", instead: "tasks run, and are entered nowhere" },
      { path: "serviceConnectConfiguration", instead: "tasks run without proxies", when: whenEnabled },
      { path: "vpcLatticeConfigurations", instead: "tasks run, and are entered nowhere" },
      { path: "monitoring", instead: "metrics are the same for every service" },
      { path: "healthCheckGracePeriodSeconds", instead: "health checks count from their startPeriod on" },
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
      TAGS,
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
    ignored: [TAGS, { path: "attributes", instead: "placement does not look at attributes" }],
    notImplemented: [],
  },
};
