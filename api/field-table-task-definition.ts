// The rows of the table of fields without effect for task definitions and their revisions.
import {
  anySet,
  type FieldRule,
  type FieldRules,
  oneOf,
  otherThan,
  type ValueTest,
  whenEnabled,
  withOneOf,
} from "./field-rules.js";

const CONTAINER = "containerDefinitions[]";
/** Drivers that stand for a service of the cloud. */
const CLOUD_DRIVERS = ["awslogs", "awsfirelens"];
const ofCloudDriver: ValueTest = {
  text: "of such a driver",
  applies: (value, parent) => anySet.applies(value, parent) && CLOUD_DRIVERS.includes(String(parent.logDriver)),
};

export const TASK_DEFINITION: FieldRules = {
  ignored: [
    { path: "taskRoleArn", instead: "containers get no credentials" },
    { path: "executionRoleArn", instead: "images are pulled as the machine's Docker is logged in" },
    { path: "placementConstraints", instead: "every machine is a candidate" },
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
      when: oneOf(...CLOUD_DRIVERS),
    },
    {
      path: `${CONTAINER}.logConfiguration.options`,
      instead: "belongs to a driver that is not used",
      when: ofCloudDriver,
    },
    { path: `${CONTAINER}.logConfiguration.secretOptions`, instead: "the driver does not get them" },
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
