// Generated from crds/ by `npm run generate`. Do not edit.
import type { ApiObject, Condition, NewObjectMeta, ObjectMeta } from "./meta.js";

/** One tag. */
export interface Tag {
  /** The tag's name: 1 to 128 letters, digits, spaces and _ . : / = + - @. */
  key: string;
  /** The tag's value, up to 256 characters; may be empty or left out, but not null. */
  value?: string;
}
/** One setting. */
export interface ClusterSetting {
  /** The setting. */
  name: "containerInsights";
  /** Its value: enabled, enhanced or disabled. */
  value: string;
}
export interface ExecuteCommandLogConfiguration {
  /** The log group. */
  cloudWatchLogGroupName?: string;
  /** Whether it is encrypted. */
  cloudWatchEncryptionEnabled?: boolean;
  /** The bucket. */
  s3BucketName?: string;
  /** Whether it is encrypted. */
  s3EncryptionEnabled?: boolean;
  /** The folder in the bucket. */
  s3KeyPrefix?: string;
}
export interface ExecuteCommandConfiguration {
  /** The key that encrypts the session. */
  kmsKeyId?: string;
  /** Whether, and where, sessions are logged. */
  logging?: "NONE" | "DEFAULT" | "OVERRIDE";
  /** For logging OVERRIDE. */
  logConfiguration?: ExecuteCommandLogConfiguration;
}
export interface ManagedStorageConfiguration {
  /** The key for managed storage. */
  kmsKeyId?: string;
  /** The key for scratch storage. */
  fargateEphemeralStorageKmsKeyId?: string;
}
export interface ClusterConfiguration {
  /** How commands run in containers are kept. */
  executeCommandConfiguration?: ExecuteCommandConfiguration;
  /** Keys for managed storage. */
  managedStorageConfiguration?: ManagedStorageConfiguration;
}
/** One capacity provider and its share. */
export interface CapacityProviderStrategyItem {
  /** The provider's short name. */
  capacityProvider: string;
  /** Its share of the tasks beyond base, relative to the others. */
  weight?: number;
  /** How many tasks it gets before the weights count; only one provider may have a base. */
  base?: number;
}
export interface ClusterServiceConnectDefaults {
  /** The namespace that services use if they name none. */
  namespace: string;
}
export interface AwsVpcConfiguration {
  /** The networks that a task may be attached to, at most 16. */
  subnets: string[];
  /** The packet filters put on the task's interface, at most 5; the network's default if left out. */
  securityGroups?: string[];
  /** Whether the interface gets a public address; DISABLED if left out. */
  assignPublicIp?: "ENABLED" | "DISABLED";
}
export interface NetworkConfiguration {
  /** Where tasks with networkMode awsvpc get their network interface. */
  awsvpcConfiguration?: AwsVpcConfiguration;
}
export interface StoppedTaskRetention {
  /** Per task set; 5 if left out. */
  perTaskSet?: number;
  /** In the whole cluster; 1000 if left out. */
  perCluster?: number;
}
export interface LostInstances {
  /** REPLACE: after the time they count as stopped, and a service starts others. STOP: as REPLACE, and the agent that cannot reach Davit for that long stops them by itself. KEEP: they are left as they are, for ever. */
  action?: "REPLACE" | "STOP" | "KEEP";
  /** Seconds of silence until the action. */
  afterSeconds?: number;
  /** For REPLACE, who wins when the machine is back: REPLACEMENT, the old tasks are stopped before anything else is done there; or ORIGINAL, they are taken back and their replacements stopped. */
  onReturn?: "REPLACEMENT" | "ORIGINAL";
}
/** What is wanted of the cluster. @default {} */
export interface ClusterSpec {
  /** The cluster's ECS name; metadata.name if left out. Up to 255 letters, digits, - and _. Cannot be changed. */
  clusterName?: string;
  /** Labels for your own bookkeeping, at most 50. */
  tags?: Tag[];
  /** Settings of the cluster. */
  settings?: ClusterSetting[];
  /** Further configuration. */
  configuration?: ClusterConfiguration;
  /** The capacity providers that the cluster may use. */
  capacityProviders?: string[];
  /** Used where neither a launch type nor a strategy is given. */
  defaultCapacityProviderStrategy?: CapacityProviderStrategyItem[];
  /** Defaults for Service Connect. */
  serviceConnectDefaults?: ClusterServiceConnectDefaults;
  /** Davit's own: used for tasks with networkMode awsvpc that bring no network configuration. */
  defaultNetworkConfiguration?: NetworkConfiguration;
  /** Davit's own: days for which logs are kept where nothing else is said. */
  logRetentionInDays?: number;
  /** Davit's own: how many stopped tasks are kept as objects. */
  stoppedTaskRetention?: StoppedTaskRetention;
  /** Davit's own: what happens to tasks whose service says nothing else (REPLACE after 300 seconds, REPLACEMENT) when the agent of their machine is silent. */
  lostInstances?: LostInstances;
}
/** Something attached to it, such as a network interface. */
export interface Attachment {
  /** The attachment's id. */
  id?: string;
  /** What it is. */
  type?: string;
  /** Its state. */
  status?: string;
  /** More about it. */
  details?: Array<{
    /** The property's name. */
    name?: string;
    /** The property's value. */
    value?: string;
  }>;
}
/** What is. */
export interface ClusterStatus {
  /** The metadata.generation that this status was made from. */
  observedGeneration?: number;
  /** `Ready`, `FieldsIgnored`. */
  conditions?: Condition[];
  /** The cluster's ARN. */
  clusterArn?: string;
  /** The cluster's state. */
  status?: "ACTIVE" | "PROVISIONING" | "DEPROVISIONING" | "FAILED" | "INACTIVE";
  /** Machines registered, ACTIVE or DRAINING. */
  registeredContainerInstancesCount?: number;
  /** Tasks in RUNNING. */
  runningTasksCount?: number;
  /** Tasks in PENDING. */
  pendingTasksCount?: number;
  /** Services in ACTIVE. */
  activeServicesCount?: number;
  /** Counts by launch type. */
  statistics?: Array<{
    /** What is counted. */
    name?: string;
    /** The count. */
    value?: string;
  }>;
  /** Resources attached to the cluster. */
  attachments?: Attachment[];
  /** The state of the attachments. */
  attachmentsStatus?: string;
}
export interface RepositoryCredentials {
  /** The ARN or name of the secret with user name and password. */
  credentialsParameter: string;
}
/** A port of the container, published on the machine. */
export interface PortMapping {
  /** The port in the container. */
  containerPort?: number;
  /** The port on the machine. Left out or 0: any free one (bridge). With networkMode host or awsvpc: left out, or the same as containerPort. */
  hostPort?: number;
  /** tcp if left out. */
  protocol?: "tcp" | "udp";
  /** A name for service discovery. */
  name?: string;
  /** What is spoken on the port. */
  appProtocol?: "http" | "http2" | "grpc";
  /** A range FIRST-LAST instead of one port; the machine's ports are chosen freely. */
  containerPortRange?: string;
}
export interface ContainerRestartPolicy {
  /** Whether it is restarted. */
  enabled: boolean;
  /** Exit codes after which it is not restarted. */
  ignoredExitCodes?: number[];
  /** Seconds it must have run before it may be restarted, 60 to 1800; 300 if left out. */
  restartAttemptPeriod?: number;
}
/** A name and its value. */
export interface KeyValuePair {
  /** The variable's name. */
  name: string;
  /** The variable's value. */
  value: string;
}
/** A file of KEY=VALUE lines. */
export interface EnvironmentFile {
  /** The ARN of the object that holds the file. */
  value: string;
  /** Where the file is kept. */
  type: "s3";
}
/** A volume's place in the container. */
export interface MountPoint {
  /** The name of an entry in volumes. */
  sourceVolume: string;
  /** Where it is mounted. */
  containerPath: string;
  /** Whether the container may only read; false if left out. */
  readOnly?: boolean;
}
/** Another container whose volumes are mounted too. */
export interface VolumeFrom {
  /** That container's name. */
  sourceContainer: string;
  /** Whether this container may only read; false if left out. */
  readOnly?: boolean;
}
export interface KernelCapabilities {
  /** Capabilities to add. */
  add?: Array<"ALL" | "AUDIT_CONTROL" | "AUDIT_READ" | "AUDIT_WRITE" | "BLOCK_SUSPEND" | "CHOWN" | "DAC_OVERRIDE" | "DAC_READ_SEARCH" | "FOWNER" | "FSETID" | "IPC_LOCK" | "IPC_OWNER" | "KILL" | "LEASE" | "LINUX_IMMUTABLE" | "MAC_ADMIN" | "MAC_OVERRIDE" | "MKNOD" | "NET_ADMIN" | "NET_BIND_SERVICE" | "NET_BROADCAST" | "NET_RAW" | "SETFCAP" | "SETGID" | "SETPCAP" | "SETUID" | "SYS_ADMIN" | "SYS_BOOT" | "SYS_CHROOT" | "SYS_MODULE" | "SYS_NICE" | "SYS_PACCT" | "SYS_PTRACE" | "SYS_RAWIO" | "SYS_RESOURCE" | "SYS_TIME" | "SYS_TTY_CONFIG" | "SYSLOG" | "WAKE_ALARM">;
  /** Capabilities to take away. */
  drop?: Array<"ALL" | "AUDIT_CONTROL" | "AUDIT_WRITE" | "BLOCK_SUSPEND" | "CHOWN" | "DAC_OVERRIDE" | "DAC_READ_SEARCH" | "FOWNER" | "FSETID" | "IPC_LOCK" | "IPC_OWNER" | "KILL" | "LEASE" | "LINUX_IMMUTABLE" | "MAC_ADMIN" | "MAC_OVERRIDE" | "MKNOD" | "NET_ADMIN" | "NET_BIND_SERVICE" | "NET_BROADCAST" | "NET_RAW" | "SETFCAP" | "SETGID" | "SETPCAP" | "SETUID" | "SYS_ADMIN" | "SYS_BOOT" | "SYS_CHROOT" | "SYS_MODULE" | "SYS_NICE" | "SYS_PACCT" | "SYS_PTRACE" | "SYS_RAWIO" | "SYS_RESOURCE" | "SYS_TIME" | "SYS_TTY_CONFIG" | "SYSLOG" | "WAKE_ALARM">;
}
/** A device of the machine. */
export interface Device {
  /** Its path on the machine. */
  hostPath: string;
  /** Its path in the container; the same if left out. */
  containerPath?: string;
  /** What the container may do with it; all three if left out. */
  permissions?: Array<"read" | "write" | "mknod">;
}
/** A file system in memory. */
export interface Tmpfs {
  /** Where it is mounted: an absolute path. */
  containerPath: string;
  /** Its largest size in MiB. */
  size: number;
  /** Mount options, such as noexec or mode=1777. */
  mountOptions?: string[];
}
export interface LinuxParameters {
  /** Changes to Docker's default set of capabilities. */
  capabilities?: KernelCapabilities;
  /** Devices of the machine shown to the container. */
  devices?: Device[];
  /** Run a small init that forwards signals and reaps processes. */
  initProcessEnabled?: boolean;
  /** Size of /dev/shm in MiB. */
  sharedMemorySize?: number;
  /** File systems in memory. */
  tmpfs?: Tmpfs[];
  /** Swap in MiB the container may use; 0 turns swap off. */
  maxSwap?: number;
  /** How readily its memory is swapped, 0 to 100; 60 if left out. */
  swappiness?: number;
}
/** A value taken from a secret store. */
export interface Secret {
  /** The environment variable, or the log driver's option, that receives the value. */
  name: string;
  /** Where the value is: the full ARN of a secret (it may end in :json-key:stage:version) or of a parameter, or a parameter's name. */
  valueFrom: string;
}
/** A container that must have come so far first. */
export interface ContainerDependency {
  /** That container's name. */
  containerName: string;
  /** START: started. COMPLETE: has exited. SUCCESS: has exited with 0. HEALTHY: its health check passed. */
  condition: "START" | "COMPLETE" | "SUCCESS" | "HEALTHY";
}
/** A line of /etc/hosts. */
export interface HostEntry {
  /** The name. */
  hostname: string;
  /** Its address. */
  ipAddress: string;
}
/** One resource limit of the process. */
export interface Ulimit {
  /** The limit, as ulimit names it. */
  name: "core" | "cpu" | "data" | "fsize" | "locks" | "memlock" | "msgqueue" | "nice" | "nofile" | "nproc" | "rss" | "rtprio" | "rttime" | "sigpending" | "stack";
  /** The soft limit; -1 for none. */
  softLimit: number;
  /** The hard limit; -1 for none. */
  hardLimit: number;
}
export type LogDriver = "json-file" | "syslog" | "journald" | "gelf" | "fluentd" | "awslogs" | "splunk" | "awsfirelens" | "logentries" | "none";
export interface LogConfiguration {
  /** The log driver. awslogs and awsfirelens run on the machine's json-file driver for now, so that `davit logs` shows them. */
  logDriver: LogDriver;
  /** The driver's options. */
  options?: Record<string, string>;
  /** Driver options whose values come from a secret store. */
  secretOptions?: Secret[];
}
export interface HealthCheck {
  /** The command. First item CMD (run the arguments directly) or CMD-SHELL (run one string in a shell); CMD if neither. */
  command: string[];
  /** Seconds between checks, 5 to 300; 30 if left out. */
  interval?: number;
  /** Seconds after which a check has failed, 2 to 60; 5 if left out. */
  timeout?: number;
  /** Failures in a row that make the container unhealthy, 1 to 10; 3 if left out. */
  retries?: number;
  /** Seconds after the start in which failures do not count, 0 to 300; none if left out. */
  startPeriod?: number;
}
/** One kernel parameter. */
export interface SystemControl {
  /** The parameter, such as net.core.somaxconn. */
  namespace?: string;
  /** Its value. */
  value?: string;
}
/** A device the container needs for itself. */
export interface ResourceRequirement {
  /** The kind of device. */
  type: "GPU" | "InferenceAccelerator" | "NeuronDevice";
  /** How many (GPU, NeuronDevice), or the accelerator's deviceName. */
  value: string;
}
export interface FirelensConfiguration {
  /** The log router. */
  type: "fluentd" | "fluentbit";
  /** Its options. */
  options?: Record<string, string>;
}
/** One container of the task. */
export interface ContainerDefinition {
  /** The container's name, unique in the task: up to 255 letters, digits, - and _. */
  name: string;
  /** The image, as Docker takes it: name, registry/name:tag or registry/name@digest. */
  image: string;
  /** How to log in to a private registry. */
  repositoryCredentials?: RepositoryCredentials;
  /** CPU units reserved, 1024 to a core; a share where cores are contended, not a limit. */
  cpu?: number;
  /** Hard limit in MiB, at least 6: a container that takes more is killed. */
  memory?: number;
  /** MiB reserved on the machine, at least 6; less than memory where both are set. */
  memoryReservation?: number;
  /** Containers reachable by name without ports, as NAME or NAME:ALIAS; only with networkMode bridge. */
  links?: string[];
  /** Ports to publish on the machine. */
  portMappings?: PortMapping[];
  /** Whether the task ends when this container ends; true if left out. At least one container must be essential. */
  essential?: boolean;
  /** Restart the container alone when it exits, without ending the task. */
  restartPolicy?: ContainerRestartPolicy;
  /** Replaces the image's entry point. */
  entryPoint?: string[];
  /** Replaces the image's command; each argument is an item of its own. */
  command?: string[];
  /** Environment variables. Not for secrets. */
  environment?: KeyValuePair[];
  /** Files with environment variables; environment wins over them. */
  environmentFiles?: EnvironmentFile[];
  /** Where the task's volumes are mounted. */
  mountPoints?: MountPoint[];
  /** Volumes taken over from other containers of the task. */
  volumesFrom?: VolumeFrom[];
  /** Settings of the Linux kernel for this container. */
  linuxParameters?: LinuxParameters;
  /** Environment variables whose values come from a secret store. */
  secrets?: Secret[];
  /** What must happen before this container starts; the task stops in the reverse order. */
  dependsOn?: ContainerDependency[];
  /** Seconds that others wait for this container to reach the condition they depend on. */
  startTimeout?: number;
  /** Seconds between the stop signal and the kill; the agent's own default (30) if left out. */
  stopTimeout?: number;
  /** Whether all tasks of a deployment run the digest that its first task ran; enabled if left out. */
  versionConsistency?: "enabled" | "disabled";
  /** The container's host name; not with networkMode awsvpc. */
  hostname?: string;
  /** The user to run as: user, user:group, uid, uid:gid, user:gid or uid:group. */
  user?: string;
  /** The directory in which the command runs. */
  workingDirectory?: string;
  /** Turns networking off in the container; not with networkMode awsvpc. */
  disableNetworking?: boolean;
  /** Gives the container elevated rights on the machine, like root. */
  privileged?: boolean;
  /** Makes the container's root file system read-only. */
  readonlyRootFilesystem?: boolean;
  /** DNS servers to ask; not with networkMode awsvpc. */
  dnsServers?: string[];
  /** Domains in which short names are looked up; not with networkMode awsvpc. */
  dnsSearchDomains?: string[];
  /** Lines added to /etc/hosts; not with networkMode awsvpc. */
  extraHosts?: HostEntry[];
  /** Security options as Docker takes them (SELinux, AppArmor, no-new-privileges). */
  dockerSecurityOptions?: string[];
  /** Keeps standard input open. */
  interactive?: boolean;
  /** Allocates a terminal. */
  pseudoTerminal?: boolean;
  /** Labels on the Docker container. */
  dockerLabels?: Record<string, string>;
  /** Resource limits of the process. */
  ulimits?: Ulimit[];
  /** Where the container's output goes; the machine's default driver if left out. */
  logConfiguration?: LogConfiguration;
  /** A command that tells whether the container is healthy. */
  healthCheck?: HealthCheck;
  /** Kernel parameters (sysctls) of the container's namespaces. */
  systemControls?: SystemControl[];
  /** Devices reserved for this container. */
  resourceRequirements?: ResourceRequirement[];
  /** Makes this container the log router of the task. */
  firelensConfiguration?: FirelensConfiguration;
  /** References to credential specifications (gMSA). */
  credentialSpecs?: string[];
}
export type NetworkMode = "bridge" | "host" | "awsvpc" | "none";
export interface HostVolumeProperties {
  /** The directory's path on the machine; made if it is missing. */
  sourcePath?: string;
}
export interface DockerVolumeConfiguration {
  /** task: made and removed with the task. shared: outlives it. */
  scope?: "task" | "shared";
  /** For scope shared: make the volume if it is missing. */
  autoprovision?: boolean;
  /** The volume driver; local if left out. */
  driver?: string;
  /** Options for the driver. */
  driverOpts?: Record<string, string>;
  /** Labels on the volume. */
  labels?: Record<string, string>;
}
export interface EFSAuthorizationConfig {
  /** The access point's id. */
  accessPointId?: string;
  /** Whether the task's role is used. */
  iam?: "ENABLED" | "DISABLED";
}
export interface EFSVolumeConfiguration {
  /** The file system's id. */
  fileSystemId: string;
  /** The directory in it to mount. */
  rootDirectory?: string;
  /** Whether traffic is encrypted. */
  transitEncryption?: "ENABLED" | "DISABLED";
  /** The port for encrypted traffic. */
  transitEncryptionPort?: number;
  /** How access is granted. */
  authorizationConfig?: EFSAuthorizationConfig;
}
export interface S3FilesVolumeConfiguration {
  /** The file system's ARN. */
  fileSystemArn: string;
  /** The directory in it to mount. */
  rootDirectory?: string;
  /** The port for encrypted traffic. */
  transitEncryptionPort?: number;
  /** The access point's ARN. */
  accessPointArn?: string;
}
export interface FSxWindowsFileServerVolumeConfiguration {
  /** The file system's id. */
  fileSystemId: string;
  /** The directory in it to mount. */
  rootDirectory: string;
  /** How access is granted. */
  authorizationConfig: {
    /** The ARN of the secret with the credentials. */
    credentialsParameter: string;
    /** The domain. */
    domain: string;
  };
}
/** A volume of the task. */
export interface Volume {
  /** The name that mountPoints use: up to 255 letters, digits, - and _. */
  name: string;
  /** A directory of the machine; with no sourcePath, one that Docker chooses. */
  host?: HostVolumeProperties;
  /** A volume kept by Docker. */
  dockerVolumeConfiguration?: DockerVolumeConfiguration;
  /** An EFS file system. */
  efsVolumeConfiguration?: EFSVolumeConfiguration;
  /** An S3 Files file system. */
  s3filesVolumeConfiguration?: S3FilesVolumeConfiguration;
  /** An FSx for Windows file system. */
  fsxWindowsFileServerVolumeConfiguration?: FSxWindowsFileServerVolumeConfiguration;
  /** The volume is configured by the service or the task that uses it (volumeConfigurations). */
  configuredAtLaunch?: boolean;
}
/** A rule that a machine must meet. */
export interface TaskDefinitionPlacementConstraint {
  /** memberOf: only machines that match the expression. (distinctInstance belongs to a service or a task.) */
  type: "memberOf";
  /** An expression in the cluster query language, up to 2000 characters. */
  expression?: string;
}
/** A launch type. */
export type LaunchType = "EC2" | "FARGATE" | "EXTERNAL" | "MANAGED_INSTANCES";
export interface RuntimePlatform {
  /** The processor; X86_64 if left out. */
  cpuArchitecture?: "X86_64" | "ARM64";
  /** The operating system; LINUX if left out. */
  operatingSystemFamily?: "LINUX" | "WINDOWS_SERVER_2016_FULL" | "WINDOWS_SERVER_2019_CORE" | "WINDOWS_SERVER_2019_FULL" | "WINDOWS_SERVER_2004_CORE" | "WINDOWS_SERVER_20H2_CORE" | "WINDOWS_SERVER_2022_CORE" | "WINDOWS_SERVER_2022_FULL" | "WINDOWS_SERVER_2025_CORE" | "WINDOWS_SERVER_2025_FULL";
}
export interface ProxyConfiguration {
  /** The kind of proxy. */
  type?: "APPMESH";
  /** The container that is the proxy. */
  containerName: string;
  /** Settings of the redirection. */
  properties?: Array<{
    /** The property's name. */
    name?: string;
    /** The property's value. */
    value?: string;
  }>;
}
export interface EphemeralStorage {
  /** Size in GiB, 21 to 200. */
  sizeInGiB: number;
}
/** An accelerator; no longer offered by AWS. */
export interface InferenceAccelerator {
  /** The name that resourceRequirements use. */
  deviceName: string;
  /** The type to use. */
  deviceType: string;
}
/** The task definition as you write it, in ECS's own field names. */
export interface TaskDefinitionSpec {
  /** The family's name; metadata.name if left out. Cannot be changed: another family is another object. */
  family?: string;
  /** The containers of the task, 1 to 10; all run on one machine. */
  containerDefinitions: ContainerDefinition[];
  /** Hard limit of CPU for the whole task: CPU units (1024 to a core), or text such as "1 vCPU" or ".5 vCPU". */
  cpu?: string | number;
  /** Hard limit of memory for the whole task: MiB, or text such as "2 GB". */
  memory?: string | number;
  /** bridge (if left out): Docker's own network, ports published as mapped. host: the machine's network. awsvpc: a network interface for the task. none: no network. */
  networkMode?: NetworkMode;
  /** Volumes that the containers may mount. */
  volumes?: Volume[];
  /** Rules for the machines on which tasks may be placed. */
  placementConstraints?: TaskDefinitionPlacementConstraint[];
  /** Launch types whose rules the definition is checked against. */
  requiresCompatibilities?: LaunchType[];
  /** The platform that the containers are built for. */
  runtimePlatform?: RuntimePlatform;
  /** Process namespace: host shares the machine's, task one for all containers; one each if left out. */
  pidMode?: "host" | "task";
  /** IPC namespace: host shares the machine's, task one for all containers, none keeps it private. */
  ipcMode?: "host" | "task" | "none";
  /** The role whose permissions the containers get. */
  taskRoleArn?: string;
  /** The role with which images are pulled and secrets read. */
  executionRoleArn?: string;
  /** A proxy container through which the task's traffic goes. */
  proxyConfiguration?: ProxyConfiguration;
  /** Size of the task's scratch storage. */
  ephemeralStorage?: EphemeralStorage;
  /** Whether the containers may ask for faults to be injected into their own task. */
  enableFaultInjection?: boolean;
  /** Accelerators; no longer offered by AWS. */
  inferenceAccelerators?: InferenceAccelerator[];
  /** Labels for your own bookkeeping, at most 50. */
  tags?: Tag[];
}
/** What became of it. */
export interface TaskDefinitionStatus {
  /** The metadata.generation that this status was made from. */
  observedGeneration?: number;
  /** `Ready`, `Runnable`, `FieldsIgnored`. */
  conditions?: Condition[];
  /** The newest revision's number. */
  revision?: number;
  /** The newest revision, `family:N`. */
  latestRevision?: string;
  /** The newest revision's ARN. */
  taskDefinitionArn?: string;
}
/** The counter. */
export interface TaskDefinitionFamilySpec {
  /** The family's name. */
  family: string;
  /** Highest number ever given out; deregistered ones count. */
  lastRevision: number;
}
/** The revision in normal form, with all defaults filled in. It cannot be changed. */
export interface TaskDefinitionRevisionSpec {
  /** The family's name. */
  family: string;
  /** The revision's number, rising by one within the family. */
  revision: number;
  /** SHA-256 (hex) of the normal form without family and revision: what "the same text" means. */
  contentHash: string;
  /** The containers of the task, 1 to 10; all run on one machine. */
  containerDefinitions: ContainerDefinition[];
  /** Hard limit of CPU units for the whole task, as a decimal string. */
  cpu?: string;
  /** Hard limit of memory for the whole task in MiB, as a decimal string. */
  memory?: string;
  /** bridge (if left out): Docker's own network, ports published as mapped. host: the machine's network. awsvpc: a network interface for the task. none: no network. */
  networkMode?: NetworkMode;
  /** Volumes that the containers may mount. */
  volumes?: Volume[];
  /** Rules for the machines on which tasks may be placed. */
  placementConstraints?: TaskDefinitionPlacementConstraint[];
  /** Launch types whose rules the definition is checked against. */
  requiresCompatibilities?: LaunchType[];
  /** The platform that the containers are built for. */
  runtimePlatform?: RuntimePlatform;
  /** Process namespace: host shares the machine's, task one for all containers; one each if left out. */
  pidMode?: "host" | "task";
  /** IPC namespace: host shares the machine's, task one for all containers, none keeps it private. */
  ipcMode?: "host" | "task" | "none";
  /** The role whose permissions the containers get. */
  taskRoleArn?: string;
  /** The role with which images are pulled and secrets read. */
  executionRoleArn?: string;
  /** A proxy container through which the task's traffic goes. */
  proxyConfiguration?: ProxyConfiguration;
  /** Size of the task's scratch storage. */
  ephemeralStorage?: EphemeralStorage;
  /** Whether the containers may ask for faults to be injected into their own task. */
  enableFaultInjection?: boolean;
  /** Accelerators; no longer offered by AWS. */
  inferenceAccelerators?: InferenceAccelerator[];
  /** Labels for your own bookkeeping, at most 50. */
  tags?: Tag[];
}
/** A named property of a machine. */
export interface Attribute {
  /** The attribute's name, such as ecs.os-type or one of your own. */
  name: string;
  /** The attribute's value; may be left out. */
  value?: string;
  /** What the attribute belongs to. */
  targetType?: "container-instance";
  /** The object that the attribute belongs to: its short id or its ARN. */
  targetId?: string;
}
/** Its state. */
export interface TaskDefinitionRevisionStatus {
  /** The metadata.generation that this status was made from. */
  observedGeneration?: number;
  /** `Ready`, `Runnable` (False: `NotImplemented`, message `NotImplemented: <field>`), `FieldsIgnored`. */
  conditions?: Condition[];
  /** ACTIVE: may be used. INACTIVE: deregistered; what runs keeps running. */
  status?: "ACTIVE" | "INACTIVE" | "DELETE_IN_PROGRESS";
  /** The revision's ARN. */
  taskDefinitionArn?: string;
  /** When it was registered. */
  registeredAt?: string;
  /** Who registered it. */
  registeredBy?: string;
  /** When it was deregistered. */
  deregisteredAt?: string;
  /** When its deletion was asked for. */
  deleteRequestedAt?: string;
  /** Every launch type that the revision can run on. */
  compatibilities?: LaunchType[];
  /** Attributes a machine must have to run it. */
  requiresAttributes?: Attribute[];
}
export interface AdvancedConfiguration {
  /** The ARN of the second target group. */
  alternateTargetGroupArn?: string;
  /** The ARN of the listener rule for production traffic. */
  productionListenerRule?: string;
  /** The ARN of the listener rule for test traffic. */
  testListenerRule?: string;
  /** The role that may change the rules. */
  roleArn?: string;
}
/** One target group that the service's tasks are registered with. */
export interface LoadBalancer {
  /** The ARN of the target group. */
  targetGroupArn?: string;
  /** The name of a classic load balancer. */
  loadBalancerName?: string;
  /** The container that takes the traffic, as named in the task definition. */
  containerName?: string;
  /** The port of that container; it must be in its portMappings. */
  containerPort?: number;
  /** What shifting traffic between two target groups needs. */
  advancedConfiguration?: AdvancedConfiguration;
}
/** A registry that the service's tasks are entered in. */
export interface ServiceRegistry {
  /** The ARN of the registry. */
  registryArn?: string;
  /** The port of an SRV record, where containerName and containerPort are not used. */
  port?: number;
  /** The container to enter, as named in the task definition. */
  containerName?: string;
  /** The port of that container. */
  containerPort?: number;
}
export interface ThresholdConfiguration {
  /** COUNT: a number. BOUNDED_PERCENT: percent of desiredCount within 3 and 200. UNBOUNDED_PERCENT: percent alone. */
  type: "COUNT" | "BOUNDED_PERCENT" | "UNBOUNDED_PERCENT";
  /** The number or the percentage. */
  value: number;
}
export interface DeploymentCircuitBreaker {
  /** Whether it is on. */
  enable: boolean;
  /** Whether the service goes back to the last completed deployment. */
  rollback: boolean;
  /** Whether a healthy task sets the count of failures back; true if left out. */
  resetOnHealthyTask?: boolean;
  /** How many failures are too many. */
  thresholdConfiguration?: ThresholdConfiguration;
}
export interface DeploymentAlarms {
  /** The alarms. */
  alarmNames: string[];
  /** Whether they are looked at. */
  enable: boolean;
  /** Whether the service goes back to the last completed deployment. */
  rollback: boolean;
}
/** Something to run, or a pause, at a stage. */
export interface DeploymentLifecycleHook {
  /** What happens. */
  targetType?: "AWS_LAMBDA" | "PAUSE";
  /** The function to call. */
  hookTargetArn?: string;
  /** The role that may call it. */
  roleArn?: string;
  /** The stages at which it runs. */
  lifecycleStages?: Array<"RECONCILE_SERVICE" | "PRE_SCALE_UP" | "POST_SCALE_UP" | "TEST_TRAFFIC_SHIFT" | "POST_TEST_TRAFFIC_SHIFT" | "PRE_PRODUCTION_TRAFFIC_SHIFT" | "PRODUCTION_TRAFFIC_SHIFT" | "POST_PRODUCTION_TRAFFIC_SHIFT">;
  /** Handed to the hook as it is. */
  hookDetails?: unknown;
  /** How long to wait for it. */
  timeoutConfiguration?: {
    /** Minutes, 1 to 20160. */
    timeoutInMinutes?: number;
    /** What follows then. */
    action?: "ROLLBACK" | "CONTINUE";
  };
}
export interface LinearConfiguration {
  /** Percent of the traffic moved in each step. */
  stepPercent?: number;
  /** Minutes between steps. */
  stepBakeTimeInMinutes?: number;
}
export interface CanaryConfiguration {
  /** Percent of the traffic moved first. */
  canaryPercent?: number;
  /** Minutes before the rest follows. */
  canaryBakeTimeInMinutes?: number;
}
export interface DeploymentEarlySuccessCriteria {
  /** Whether it is on. */
  enable: boolean;
  /** Percent of the tasks that must be healthy. */
  healthyPercent?: number;
  /** Whether the old tasks must be gone first. */
  sourceServiceRevisionCleanup?: "BLOCKING" | "DEFERRED";
}
export interface DeploymentConfiguration {
  /** Upper limit of running and pending tasks in a deployment, in percent of desiredCount, rounded down; 200 if left out (DAEMON: 100). */
  maximumPercent?: number;
  /** Lower limit of healthy tasks in a deployment, in percent of desiredCount, rounded up; 100 if left out (DAEMON: 0). */
  minimumHealthyPercent?: number;
  /** Davit's own: seconds after RUNNING before a task without any check counts as healthy; 40 if left out, as in ECS. */
  minHealthySeconds?: number;
  /** Ends a deployment whose tasks keep failing. */
  deploymentCircuitBreaker?: DeploymentCircuitBreaker;
  /** Ends a deployment while an alarm is on. */
  alarms?: DeploymentAlarms;
  /** ROLLING (if left out): replace within the percents. The others shift traffic between two sets of tasks. */
  strategy?: "ROLLING" | "BLUE_GREEN" | "LINEAR" | "CANARY";
  /** Minutes for which the old tasks stay after all traffic has moved. */
  bakeTimeInMinutes?: number;
  /** What runs at the stages of a deployment. */
  lifecycleHooks?: DeploymentLifecycleHook[];
  /** For strategy LINEAR. */
  linearConfiguration?: LinearConfiguration;
  /** For strategy CANARY. */
  canaryConfiguration?: CanaryConfiguration;
  /** When a deployment counts as complete before all tasks are replaced. */
  earlySuccessCriteria?: DeploymentEarlySuccessCriteria;
}
export interface DeploymentController {
  /** ECS: Davit itself. CODE_DEPLOY: blue/green as CodeDeploy does it. EXTERNAL: you, by task sets. */
  type: "ECS" | "CODE_DEPLOY" | "EXTERNAL";
}
/** A rule that a machine must meet. */
export interface PlacementConstraint {
  /** distinctInstance: each task on a machine of its own. memberOf: only machines that match the expression. */
  type: "distinctInstance" | "memberOf";
  /** For memberOf: an expression in the cluster query language, up to 2000 characters. */
  expression?: string;
}
/** A rule to choose among the machines that fit. */
export interface PlacementStrategy {
  /** random: any machine. spread: evenly over the values of field. binpack: the machine with the least left of field. */
  type: "random" | "spread" | "binpack";
  /** For spread: an attribute such as attribute:ecs.availability-zone, or instanceId. For binpack: cpu or memory. */
  field?: string;
}
/** An address under which clients reach it. */
export interface ServiceConnectClientAlias {
  /** The port that clients use. */
  port: number;
  /** The name that clients use. */
  dnsName?: string;
  /** Which requests are test traffic. */
  testTrafficRules?: {
    /** A header that marks them. */
    header: {
      /** The header's name. */
      name: string;
      /** What its value must be. */
      value?: {
        /** This value exactly. */
        exact: string;
      };
    };
  };
}
/** One port that other services may find. */
export interface ServiceConnectService {
  /** The name of a port mapping in the task definition. */
  portName: string;
  /** The name it is found by; portName if left out. */
  discoveryName?: string;
  /** Addresses for clients. */
  clientAliases?: ServiceConnectClientAlias[];
  /** The port on which the proxy listens. */
  ingressPortOverride?: number;
  /** Timeouts of the proxy. */
  timeout?: {
    /** Seconds without traffic; 0 turns it off. */
    idleTimeoutSeconds?: number;
    /** Seconds for one request; 0 turns it off. */
    perRequestTimeoutSeconds?: number;
  };
  /** TLS between the proxies. */
  tls?: {
    /** Who signs the certificates. */
    issuerCertificateAuthority: {
      /** The ARN of the authority. */
      awsPcaAuthorityArn?: string;
    };
    /** The key that encrypts the private keys. */
    kmsKey?: string;
    /** The role for both. */
    roleArn?: string;
  };
}
export interface ServiceConnectConfiguration {
  /** Whether Service Connect is used. */
  enabled: boolean;
  /** The name or ARN of the namespace. */
  namespace?: string;
  /** The ports that other services may find. */
  services?: ServiceConnectService[];
  /** Where the proxies' own logs go. */
  logConfiguration?: LogConfiguration;
  /** The proxies' access logs. */
  accessLogConfiguration?: {
    /** Their format. */
    format: "TEXT" | "JSON";
    /** Whether they hold query parameters. */
    includeQueryParameters?: "DISABLED" | "ENABLED";
  };
}
/** Tags for the volume. */
export interface EBSTagSpecification {
  /** What is tagged. */
  resourceType: "volume";
  /** The tags. */
  tags?: Tag[];
  /** Where further tags are copied from. */
  propagateTags?: "TASK_DEFINITION" | "SERVICE" | "NONE";
}
export interface ServiceManagedEBSVolumeConfiguration {
  /** Whether the volume is encrypted. */
  encrypted?: boolean;
  /** The key that encrypts it. */
  kmsKeyId?: string;
  /** The volume's type, such as gp3. */
  volumeType?: string;
  /** Size in GiB. */
  sizeInGiB?: number;
  /** The snapshot to make the volume from. */
  snapshotId?: string;
  /** MiB per second at which data is fetched from the snapshot. */
  volumeInitializationRate?: number;
  /** Input and output operations per second. */
  iops?: number;
  /** MiB per second. */
  throughput?: number;
  /** Tags for the volume. */
  tagSpecifications?: EBSTagSpecification[];
  /** The role that may make volumes. */
  roleArn: string;
  /** The file system to put on it. */
  filesystemType?: "ext3" | "ext4" | "xfs" | "ntfs";
}
/** How one volume that is configured at launch is made. */
export interface ServiceVolumeConfiguration {
  /** The volume's name in the task definition (it has configuredAtLaunch there). */
  name: string;
  /** The block volume to make for each task. */
  managedEBSVolume?: ServiceManagedEBSVolumeConfiguration;
}
export interface VpcLatticeAdvancedConfiguration {
  /** The ARN of the second target group. */
  alternateTargetGroupArn?: string;
  /** The rule for production traffic. */
  productionListenerRule?: string;
  /** The rule for test traffic. */
  testListenerRule?: string;
}
/** A VPC Lattice target group. */
export interface VpcLatticeConfiguration {
  /** The role that may change the target group. */
  roleArn: string;
  /** The target group's ARN. */
  targetGroupArn: string;
  /** The name of a port mapping in the task definition. */
  portName: string;
  /** What shifting traffic between two target groups needs. */
  advancedConfiguration?: VpcLatticeAdvancedConfiguration;
}
/** One group of metrics. */
export interface MetricConfiguration {
  /** The metrics. */
  metricNames: string[];
  /** Seconds between values, 20 to 60. */
  resolutionSeconds: number;
}
export interface MonitoringConfiguration {
  /** The metrics. */
  metricConfigurations?: MetricConfiguration[];
}
/** What should run. */
export interface ServiceSpec {
  /** Name or ARN of the cluster. Cannot be changed. @default "default" */
  cluster?: string;
  /** The service's ECS name, unique in its cluster: up to 255 letters, digits, - and _. metadata.name (without .CLUSTER) if left out. Cannot be changed. */
  serviceName?: string;
  /** `family` follows the newest revision; `family:N` or an ARN stays on that one. Required unless deploymentController is EXTERNAL. */
  taskDefinition?: string;
  /** How many tasks; 1 for a new service if left out, later whatever a scaler wrote. Not used with DAEMON. */
  desiredCount?: number;
  /** REPLICA: desiredCount tasks. DAEMON: one task on each machine that fits. @default "REPLICA" */
  schedulingStrategy?: "REPLICA" | "DAEMON";
  /** Where the tasks run; EC2 and EXTERNAL are any machine with an agent. Not together with capacityProviderStrategy. */
  launchType?: LaunchType;
  /** Shares of the tasks per capacity provider. */
  capacityProviderStrategy?: CapacityProviderStrategyItem[];
  /** For FARGATE: the platform's version. */
  platformVersion?: string;
  /** Target groups that the tasks are registered with. */
  loadBalancers?: LoadBalancer[];
  /** Registries that the tasks are entered in. */
  serviceRegistries?: ServiceRegistry[];
  /** Needed for networkMode awsvpc. */
  networkConfiguration?: NetworkConfiguration;
  /** How tasks are replaced. */
  deploymentConfiguration?: DeploymentConfiguration;
  /** Who moves a deployment along. */
  deploymentController?: DeploymentController;
  /** Rules for the machines, at most 10. */
  placementConstraints?: PlacementConstraint[];
  /** How to choose among the machines that fit; balanced over zones and machines if left out. */
  placementStrategy?: PlacementStrategy[];
  /** Seconds after a task's start in which failed checks do not count; 0 if left out. */
  healthCheckGracePeriodSeconds?: number;
  /** Whether tasks are moved when zones are out of balance. */
  availabilityZoneRebalancing?: "ENABLED" | "DISABLED";
  /** Labels for your own bookkeeping, at most 50. */
  tags?: Tag[];
  /** Davit's own: what happens to the service's tasks; a field that is left out is as the cluster says when the agent of their machine is silent. */
  lostInstances?: LostInstances;
  /** Whether tasks get tags that name cluster and service. */
  enableECSManagedTags?: boolean;
  /** Where the tasks' tags are copied from. */
  propagateTags?: "TASK_DEFINITION" | "SERVICE" | "NONE";
  /** Whether commands may be run in the containers. */
  enableExecuteCommand?: boolean;
  /** Service Connect: names for this service, and proxies to reach others. */
  serviceConnectConfiguration?: ServiceConnectConfiguration;
  /** How volumes with configuredAtLaunch are made. */
  volumeConfigurations?: ServiceVolumeConfiguration[];
  /** VPC Lattice target groups. */
  vpcLatticeConfigurations?: VpcLatticeConfiguration[];
  /** Metrics to keep at a finer grain. */
  monitoring?: MonitoringConfiguration;
}
/** One deployment of the service, in ECS's shape, and the task set that carries it. */
export interface Deployment {
  /** ecs-svc/ and 19 digits. */
  id: string;
  /** PRIMARY: the newest. ACTIVE: an older one that still has tasks. */
  status: "PRIMARY" | "ACTIVE" | "INACTIVE";
  /** Its revision, `family:N`. */
  taskDefinition: string;
  /** metadata.name of its TaskSet. */
  taskSet: string;
  /** Tasks it should have. */
  desiredCount: number;
  /** Tasks on their way to RUNNING. */
  pendingCount: number;
  /** Tasks in RUNNING. */
  runningCount: number;
  /** Tasks that failed since the last healthy one. */
  failedTasks: number;
  /** When it began. */
  createdAt: string;
  /** When it last changed. */
  updatedAt: string;
  /** How it stands. */
  rolloutState: "COMPLETED" | "FAILED" | "IN_PROGRESS";
  /** Why. */
  rolloutStateReason?: string;
  /** Where its tasks run. */
  launchType?: LaunchType;
  /** The platform's resolved version. */
  platformVersion?: string;
  /** The operating system of the platform. */
  platformFamily?: string;
  /** Its capacity providers. */
  capacityProviderStrategy?: CapacityProviderStrategyItem[];
  /** Its network. */
  networkConfiguration?: NetworkConfiguration;
}
/** One message of the scheduler. */
export interface ServiceEvent {
  /** A UUID. */
  id: string;
  /** When. */
  createdAt: string;
  /** The text, in ECS's words. */
  message: string;
}
/** Counts of one service revision. */
export interface ServiceRevisionSummary {
  /** The service revision's ARN. */
  arn?: string;
  /** Tasks asked for. */
  requestedTaskCount?: number;
  /** Tasks running. */
  runningTaskCount?: number;
  /** Tasks pending. */
  pendingTaskCount?: number;
}
/** What runs. */
export interface ServiceStatus {
  /** The metadata.generation that this status was made from. */
  observedGeneration?: number;
  /** `Ready`, `Accepted`, `Progressing`, `FieldsIgnored`. */
  conditions?: Condition[];
  /** The service's ARN. */
  serviceArn?: string;
  /** The cluster's ARN. */
  clusterArn?: string;
  /** The role used with a load balancer. */
  roleArn?: string;
  /** Who made it. */
  createdBy?: string;
  /** When it was made. */
  createdAt?: string;
  /** DRAINING: deleted, its tasks are stopping. */
  status?: "ACTIVE" | "DRAINING" | "INACTIVE";
  /** The resolved revision, `family:N`. */
  taskDefinition?: string;
  /** The number in force. */
  desiredCount?: number;
  /** Tasks in RUNNING. */
  runningCount?: number;
  /** Tasks on their way to RUNNING. */
  pendingCount?: number;
  /** Tasks that count as healthy now. */
  healthyCount?: number;
  /** The operating system of the platform. */
  platformFamily?: string;
  /** Label selector of the service's tasks, for the scale subresource. */
  selector?: string;
  /** Deployments that have tasks, the newest first. */
  deployments?: Deployment[];
  /** Last messages, the newest first. */
  events?: ServiceEvent[];
  /** Revisions that failed and are not tried again until something changes. */
  rejectedRevisions?: string[];
  /** State of the deployment machine for the primary deployment. */
  deploymentState?: string;
  /** The ARN of the deployment under way. */
  currentServiceDeployment?: string;
  /** Counts by service revision. */
  currentServiceRevisions?: ServiceRevisionSummary[];
  /** Who looks after the service's resources. */
  resourceManagementType?: "CUSTOMER" | "ECS";
}
export interface Scale {
  /** Percent, 0 to 100. */
  value: number;
  /** The unit. */
  unit: "PERCENT";
}
/** What should run. */
export interface TaskSetSpec {
  /** Name or ARN of the cluster. */
  cluster: string;
  /** metadata.name of the Service. */
  service: string;
  /** The pinned revision, `family:N`. */
  taskDefinition: string;
  /** PRIMARY: the deployment that is wanted. ACTIVE: an older one on its way out. */
  role: "PRIMARY" | "ACTIVE";
  /** Absolute count, set by the service controller at each step of a deployment. */
  desiredCount: number;
  /** Share of the service's desired count. */
  scale?: Scale;
  /** Part of what makes a deployment distinct, such as the time of a forced restart. */
  externalId?: string;
  /** Where the tasks run; EC2 and EXTERNAL are any machine with an agent. Not together with capacityProviderStrategy. */
  launchType?: LaunchType;
  /** Shares of the tasks per capacity provider. */
  capacityProviderStrategy?: CapacityProviderStrategyItem[];
  /** For FARGATE: the platform's version. */
  platformVersion?: string;
  /** Target groups that the tasks are registered with. */
  loadBalancers?: LoadBalancer[];
  /** Registries that the tasks are entered in. */
  serviceRegistries?: ServiceRegistry[];
  /** Needed for networkMode awsvpc. */
  networkConfiguration?: NetworkConfiguration;
  /** Rules for the machines, at most 10. */
  placementConstraints?: PlacementConstraint[];
  /** How to choose among the machines that fit; balanced over zones and machines if left out. */
  placementStrategy?: PlacementStrategy[];
  /** Labels for your own bookkeeping, at most 50. */
  tags?: Tag[];
}
/** What runs. */
export interface TaskSetStatus {
  /** The metadata.generation that this status was made from. */
  observedGeneration?: number;
  /** `Ready`. */
  conditions?: Condition[];
  /** The task set's ARN. */
  taskSetArn?: string;
  /** The service's ARN. */
  serviceArn?: string;
  /** The cluster's ARN. */
  clusterArn?: string;
  /** ecs-svc/ and 19 digits. */
  id?: string;
  /** Who made it. */
  startedBy?: string;
  /** Its part in the service. */
  status?: "PRIMARY" | "ACTIVE" | "DRAINING";
  /** Tasks it should have. */
  computedDesiredCount?: number;
  /** Tasks on their way to RUNNING. */
  pendingCount?: number;
  /** Tasks in RUNNING. */
  runningCount?: number;
  /** Tasks that count as healthy now. */
  healthyCount?: number;
  /** Tasks that failed since the last healthy one. */
  failedTasks?: number;
  /** STEADY_STATE: all tasks run and nothing is pending. */
  stabilityStatus?: "STEADY_STATE" | "STABILIZING";
  /** When stabilityStatus was found. */
  stabilityStatusAt?: string;
  /** When it was made. */
  createdAt?: string;
  /** When it last changed. */
  updatedAt?: string;
  /** The operating system of the platform. */
  platformFamily?: string;
  /** Scratch storage of its tasks. */
  fargateEphemeralStorage?: {
    /** The key that encrypts it. */
    kmsKeyId?: string;
  };
  /** Label selector of its tasks, for the scale subresource. */
  selector?: string;
}
/** Changes to one container. */
export interface ContainerOverride {
  /** The container's name. */
  name: string;
  /** Replaces its command. */
  command?: string[];
  /** Added to its environment; the same name replaces. */
  environment?: KeyValuePair[];
  /** Added to its environment files. */
  environmentFiles?: EnvironmentFile[];
  /** Replaces its cpu. */
  cpu?: number;
  /** Replaces its memory, MiB. */
  memory?: number;
  /** Replaces its memoryReservation, MiB. */
  memoryReservation?: number;
  /** Replaces its devices. */
  resourceRequirements?: ResourceRequirement[];
}
export interface TaskOverride {
  /** Changes to containers. */
  containerOverrides?: ContainerOverride[];
  /** Replaces the task's cpu. */
  cpu?: string;
  /** Replaces the task's memory. */
  memory?: string;
  /** Replaces the task role. */
  taskRoleArn?: string;
  /** Replaces the execution role. */
  executionRoleArn?: string;
  /** Replaces the scratch storage. */
  ephemeralStorage?: EphemeralStorage;
  /** Other accelerators; no longer offered by AWS. */
  inferenceAcceleratorOverrides?: Array<{
    /** The accelerator. */
    deviceName?: string;
    /** The type. */
    deviceType?: string;
  }>;
}
export type TaskStopCode = "TaskFailedToStart" | "EssentialContainerExited" | "UserInitiated" | "ServiceSchedulerInitiated" | "SpotInterruption" | "TerminationNotice" | "InfrastructureHealth";
export interface TaskManagedEBSVolumeConfiguration {
  /** Whether the volume is encrypted. */
  encrypted?: boolean;
  /** The key that encrypts it. */
  kmsKeyId?: string;
  /** The volume's type, such as gp3. */
  volumeType?: string;
  /** Size in GiB. */
  sizeInGiB?: number;
  /** The snapshot to make the volume from. */
  snapshotId?: string;
  /** MiB per second at which data is fetched from the snapshot. */
  volumeInitializationRate?: number;
  /** Input and output operations per second. */
  iops?: number;
  /** MiB per second. */
  throughput?: number;
  /** Tags for the volume. */
  tagSpecifications?: EBSTagSpecification[];
  /** The role that may make volumes. */
  roleArn: string;
  /** The file system to put on it. */
  filesystemType?: "ext3" | "ext4" | "xfs" | "ntfs";
  /** What happens to the volume when the task ends. */
  terminationPolicy?: {
    /** Whether it is deleted. */
    deleteOnTermination: boolean;
  };
}
/** How one volume that is configured at launch is made. */
export interface TaskVolumeConfiguration {
  /** The volume's name in the task definition (it has configuredAtLaunch there). */
  name: string;
  /** The block volume to make. */
  managedEBSVolume?: TaskManagedEBSVolumeConfiguration;
}
/** What should run. */
export interface TaskSpec {
  /** Name or ARN of the cluster. Cannot be changed. @default "default" */
  cluster?: string;
  /** `family:N`, `family` (newest when the task is first seen) or an ARN. Cannot be changed. */
  taskDefinition: string;
  /** A name for tasks that belong together; family:FAMILY if left out. */
  group?: string;
  /** Who started it, in your own words. */
  startedBy?: string;
  /** A reference of your own. */
  referenceId?: string;
  /** Where it runs; EC2 and EXTERNAL are any machine with an agent. */
  launchType?: LaunchType;
  /** Capacity providers to choose from. */
  capacityProviderStrategy?: CapacityProviderStrategyItem[];
  /** For FARGATE: the platform's version. */
  platformVersion?: string;
  /** Changes to the definition for this task alone. */
  overrides?: TaskOverride;
  /** Bound machine: metadata.name of a ContainerInstance. Set by the scheduler, or by you to choose the machine yourself. Written once. */
  containerInstance?: string;
  /** STOPPED stops the task, once and for all. @default "RUNNING" */
  desiredStatus?: "RUNNING" | "STOPPED";
  /** Why it is to stop, as a code. */
  stopCode?: TaskStopCode;
  /** Why it is to stop, in words; shown as stoppedReason. */
  stopReason?: string;
  /** Rules for the machines, at most 10. */
  placementConstraints?: PlacementConstraint[];
  /** How to choose among the machines that fit; balanced over zones and machines if left out. */
  placementStrategy?: PlacementStrategy[];
  /** Needed for networkMode awsvpc. */
  networkConfiguration?: NetworkConfiguration;
  /** How volumes with configuredAtLaunch are made. */
  volumeConfigurations?: TaskVolumeConfiguration[];
  /** Labels for your own bookkeeping, at most 50. */
  tags?: Tag[];
  /** Whether it gets tags that name its cluster. */
  enableECSManagedTags?: boolean;
  /** Where further tags are copied from. */
  propagateTags?: "TASK_DEFINITION" | "SERVICE" | "NONE";
  /** Whether commands may be run in the containers. */
  enableExecuteCommand?: boolean;
}
export type TaskState = "PROVISIONING" | "PENDING" | "ACTIVATING" | "RUNNING" | "DEACTIVATING" | "STOPPING" | "DEPROVISIONING" | "STOPPED";
export type HealthStatus = "HEALTHY" | "UNHEALTHY" | "UNKNOWN";
export type ContainerState = "PENDING" | "PULLED" | "CREATED" | "RUNNING" | "STOPPED";
/** A published port. */
export interface NetworkBinding {
  /** The address it is bound to. */
  bindIP: string;
  /** The port in the container. */
  containerPort: number;
  /** The port on the machine. */
  hostPort: number;
  /** The protocol. */
  protocol: "tcp" | "udp";
  /** The range in the container. */
  containerPortRange?: string;
  /** The range on the machine. */
  hostPortRange?: string;
}
/** One container of the task. */
export interface TaskContainer {
  /** Its name. */
  name: string;
  /** Its image, as named in the definition. */
  image: string;
  /** The digest that runs. */
  imageDigest?: string;
  /** Its ARN. */
  containerArn?: string;
  /** The task's ARN. */
  taskArn?: string;
  /** The runtime's own id. */
  runtimeId?: string;
  /** Where it is in its life. */
  lastStatus: ContainerState;
  /** What it exited with. */
  exitCode?: number;
  /** What went wrong. */
  reason?: string;
  /** Its health. */
  healthStatus?: HealthStatus;
  /** Its published ports. */
  networkBindings: NetworkBinding[];
  /** Its network interfaces. */
  networkInterfaces?: Array<{
    /** The attachment. */
    attachmentId?: string;
    /** Its IPv4 address. */
    privateIpv4Address?: string;
    /** Its IPv6 address. */
    ipv6Address?: string;
  }>;
  /** Helpers beside it. */
  managedAgents?: Array<{
    /** The helper. */
    name?: "ExecuteCommandAgent";
    /** Its state. */
    lastStatus?: string;
    /** Why. */
    reason?: string;
    /** When it last started. */
    lastStartedAt?: string;
  }>;
  /** Its CPU units. */
  cpu?: string;
  /** Its memory, MiB. */
  memory?: string;
  /** Its reserved memory, MiB. */
  memoryReservation?: string;
  /** GPUs it got. */
  gpuIds?: string[];
  /** Neuron devices it got. */
  neuronDeviceIds?: string[];
}
/** How it stands. */
export interface TaskStatus {
  /** The metadata.generation that this status was made from. */
  observedGeneration?: number;
  /** Tags that Davit itself gave the task at its creation (`enableECSManagedTags`), beside those in spec.tags. */
  managedTags?: Tag[];
  /** Tags that a task which somebody declared got by its propagateTags, beside those in spec.tags, which win. */
  propagatedTags?: Tag[];
  /** `Ready`, `Placed`, `FieldsIgnored`; `ContainersConfirmedGone` is False on a stopped task whose machine has not yet said that its containers are gone. `SetAside` is True while its machine is lost and another task has its place. */
  conditions?: Condition[];
  /** The task's ARN. */
  taskArn?: string;
  /** The cluster's ARN. */
  clusterArn?: string;
  /** The revision's ARN. */
  taskDefinitionArn?: string;
  /** The machine's ARN. */
  containerInstanceArn?: string;
  /** The revision that this task runs, `family:N`, resolved once. */
  taskDefinition?: string;
  /** Where it is in its life; it only moves forward. */
  lastStatus?: TaskState;
  /** Where it should be. */
  desiredStatus?: "RUNNING" | "STOPPED";
  /** Rises by one with each written change of status; each value is exactly one event. */
  version?: number;
  /** Whether its containers are reachable. */
  connectivity?: "CONNECTED" | "DISCONNECTED";
  /** When connectivity was last CONNECTED. */
  connectivityAt?: string;
  /** Health of the essential containers together. */
  healthStatus?: HealthStatus;
  /** The group in force. */
  group?: string;
  /** Who started it. */
  startedBy?: string;
  /** Where it runs. */
  launchType?: LaunchType;
  /** CPU units in force for the task. */
  cpu?: string;
  /** MiB in force for the task. */
  memory?: string;
  /** The containers. */
  containers?: TaskContainer[];
  /** What is attached to the task. */
  attachments?: Attachment[];
  /** The task's attributes. */
  attributes?: Attribute[];
  /** The machine's zone. */
  availabilityZone?: string;
  /** The capacity provider it came from. */
  capacityProviderName?: string;
  /** The platform's version. */
  platformVersion?: string;
  /** The platform's operating system. */
  platformFamily?: string;
  /** Its scratch storage. */
  ephemeralStorage?: EphemeralStorage;
  /** Scratch storage, as the platform set it. */
  fargateEphemeralStorage?: {
    /** Size in GiB. */
    sizeInGiB?: number;
    /** The key that encrypts it. */
    kmsKeyId?: string;
  };
  /** Its accelerators. */
  inferenceAccelerators?: InferenceAccelerator[];
  /** When it was created. */
  createdAt?: string;
  /** When pulling images began. */
  pullStartedAt?: string;
  /** When pulling images ended. */
  pullStoppedAt?: string;
  /** When it reached RUNNING. */
  startedAt?: string;
  /** When it began, or without any check is going to begin (minHealthySeconds after RUNNING), to count as healthy; absent while a check says nothing good. */
  healthyAt?: string;
  /** When it began to stop. */
  stoppingAt?: string;
  /** When its containers had ended. */
  executionStoppedAt?: string;
  /** When it reached STOPPED. */
  stoppedAt?: string;
  /** Why it stopped, as a code. */
  stopCode?: TaskStopCode;
  /** Why it stopped, in ECS's words. */
  stoppedReason?: string;
  /** The machine's host name, for the table. */
  host?: string;
  /** HOST:PORT→PORT/protocol, comma-separated, for the table. */
  ports?: string;
}
/** What is wanted of the machine. @default {} */
export interface ContainerInstanceSpec {
  /** Name or ARN of its cluster. @default "default" */
  cluster?: string;
  /** DRAINING takes its tasks away and places no new ones; `davit drain` sets it. @default "ACTIVE" */
  status?: "ACTIVE" | "DRAINING";
  /** Davit's own: from then on it drains, as with status DRAINING. */
  drainAt?: string;
  /** Davit's own: the machine leaves the cluster for good. IfEmpty: as soon as no task is left on it. Force: its tasks are stopped. Orphan: its containers run on, and nobody looks after them any more. Cannot be taken back; the machine may join anew. */
  deregister?: "IfEmpty" | "Force" | "Orphan";
  /** Davit's own: its agent's credential is no good any more. Its machine must join anew. */
  revoked?: boolean;
  /** Your own attributes, for placement. */
  attributes?: Attribute[];
  /** Labels for your own bookkeeping, at most 50. */
  tags?: Tag[];
}
export interface VersionInfo {
  /** The agent's. */
  agentVersion?: string;
  /** The agent's commit. */
  agentHash?: string;
  /** The container runtime's. */
  dockerVersion?: string;
}
/** An amount of one resource. */
export interface Resource {
  /** CPU, MEMORY, PORTS, PORTS_UDP, GPU. */
  name: string;
  /** Which of the values counts. */
  type: "INTEGER" | "STRINGSET" | "DOUBLE" | "LONG";
  /** For INTEGER. */
  integerValue?: number;
  /** For LONG. */
  longValue?: number;
  /** For DOUBLE. */
  doubleValue?: number;
  /** For STRINGSET: the reserved ports. */
  stringSetValue?: string[];
}
export interface ContainerInstanceHealthStatus {
  /** All checks together. */
  overallStatus?: "OK" | "IMPAIRED" | "INSUFFICIENT_DATA" | "INITIALIZING";
  /** The checks. */
  details?: Array<{
    /** What is checked. */
    type?: "CONTAINER_RUNTIME" | "ACCELERATED_COMPUTE" | "DAEMON" | "AGENT_CONNECTIVITY";
    /** What was found. */
    status?: "OK" | "IMPAIRED" | "INSUFFICIENT_DATA" | "INITIALIZING";
    /** Why. */
    statusReason?: string;
    /** When it was checked. */
    lastUpdated?: string;
    /** When it last changed. */
    lastStatusChange?: string;
  }>;
}
/** What the machine is. */
export interface ContainerInstanceStatus {
  /** The metadata.generation that this status was made from. */
  observedGeneration?: number;
  /** `Ready`, `FieldsIgnored`; `Drained` while the machine drains: False names what waits for what; `Refused` is True when its agent, or another machine with its identity, was turned away; `Overcommitted` is True when its tasks hold more than it registered. */
  conditions?: Condition[];
  /** Its ARN. */
  containerInstanceArn?: string;
  /** The id that its platform gave it. */
  ec2InstanceId?: string;
  /** Davit's own: what tells this machine from others, over restarts, reboots and a lost data folder. */
  machineId?: string;
  /** Davit's own: which boot of the machine its agent's session is of. */
  bootId?: string;
  /** Davit's own: the key that its agent's credential is made for. */
  publicKey?: string;
  /** Davit's own: until then the agent's credential is good, if it is not renewed. */
  credentialExpiresAt?: string;
  /** Davit's own: the share of the machine's host ports that tasks may ask for, such as 8000-8999; all if left out. */
  portRange?: string;
  /** Davit's own: when the agent was last heard of, while it is not connected. */
  disconnectedAt?: string;
  /** Davit's own: when the machine left; an hour later the object goes. */
  deregisteredAt?: string;
  /** The capacity provider it came from. */
  capacityProviderName?: string;
  /** Its host name. */
  hostname?: string;
  /** The address under which its ports are reached. */
  address?: string;
  /** Its state. */
  status?: "REGISTERING" | "REGISTRATION_FAILED" | "ACTIVE" | "DRAINING" | "DEREGISTERING" | "INACTIVE";
  /** Why it has this state. */
  statusReason?: string;
  /** Whether its agent is heard. */
  agentConnected?: boolean;
  /** Session number: rises with every sync. */
  epoch?: number;
  /** Rises by one with each written change. */
  version?: number;
  /** Versions. */
  versionInfo?: VersionInfo;
  /** How the agent's last update stands. */
  agentUpdateStatus?: "PENDING" | "STAGING" | "STAGED" | "UPDATING" | "UPDATED" | "FAILED";
  /** What it registered: CPU and MEMORY (INTEGER), PORTS and PORTS_UDP (STRINGSET: the reserved ones). */
  registeredResources?: Resource[];
  /** What is left of it; written at most once a second. */
  remainingResources?: Resource[];
  /** Attributes of the machine and its agent. */
  attributes?: Attribute[];
  /** What is attached to it. */
  attachments?: Attachment[];
  /** Tasks in RUNNING on it. */
  runningTasksCount?: number;
  /** Tasks on their way to RUNNING on it. */
  pendingTasksCount?: number;
  /** When it registered. */
  registeredAt?: string;
  /** Health of the machine. */
  healthStatus?: ContainerInstanceHealthStatus;
  /** Its devices. */
  platformDevices?: Array<{
    /** Its id. */
    id: string;
    /** What it is. */
    type: "GPU" | "NEURON_DEVICE";
  }>;
}
/** What the token is good for. */
export interface AccessTokenSpec {
  /** Join: a machine may join with it, once. User: a person, or a program, uses the API with it. */
  use: "Join" | "User";
  /** SHA-256 of the token's secret, 64 hex digits. */
  hash: string;
  /** After that it is refused. */
  expiresAt: string;
  /** Of a person: admin may do everything, deployer reads all and writes task definitions, services and tasks, viewer reads. */
  role?: "admin" | "deployer" | "viewer";
  /** The ECS name of the cluster that a machine joins; default if left out. */
  cluster?: string;
  /** Whether joining makes the cluster if there is none. */
  createCluster?: boolean;
}
/** What is. */
export interface AccessTokenStatus {
  /** When a machine joined with it; it is no good any more. */
  usedAt?: string;
  /** That machine: the name of its ContainerInstance. */
  usedBy?: string;
  /** The key that it joined with. For a few minutes the same machine may ask again with the same key: the first answer may have been lost. */
  publicKey?: string;
}

/** A named group of machines, services and tasks. The cluster `default` always exists. */
export interface Cluster extends ApiObject {
  apiVersion: "davit.dev/v1";
  kind: "Cluster";
  metadata: ObjectMeta;
  spec: ClusterSpec;
  status?: ClusterStatus;
}
/** The blueprint of a task: 1 to 10 containers and what they need. Each changed text becomes a new, immutable TaskDefinitionRevision `family:N`. */
export interface TaskDefinition extends ApiObject {
  apiVersion: "davit.dev/v1";
  kind: "TaskDefinition";
  metadata: ObjectMeta;
  spec: TaskDefinitionSpec;
  status?: TaskDefinitionStatus;
}
/** The counter of a family's revisions. It outlives the TaskDefinition, so that no number is ever given out twice. */
export interface TaskDefinitionFamily extends ApiObject {
  apiVersion: "davit.dev/v1";
  kind: "TaskDefinitionFamily";
  metadata: ObjectMeta;
  spec: TaskDefinitionFamilySpec;
}
/** One immutable revision `family:N` of a task definition, in normal form. Davit makes it from the TaskDefinition. */
export interface TaskDefinitionRevision extends ApiObject {
  apiVersion: "davit.dev/v1";
  kind: "TaskDefinitionRevision";
  metadata: ObjectMeta;
  spec: TaskDefinitionRevisionSpec;
  status?: TaskDefinitionRevisionStatus;
}
/** Keeps a number of tasks of one task definition running, and replaces them when the definition changes. */
export interface Service extends ApiObject {
  apiVersion: "davit.dev/v1";
  kind: "Service";
  metadata: ObjectMeta;
  spec: ServiceSpec;
  status?: ServiceStatus;
}
/** One deployment of a service: a revision, a scale, a role. */
export interface TaskSet extends ApiObject {
  apiVersion: "davit.dev/v1";
  kind: "TaskSet";
  metadata: ObjectMeta;
  spec: TaskSetSpec;
  status?: TaskSetStatus;
}
/** One run of a revision on one machine. Its ECS id is metadata.uid without hyphens. */
export interface Task extends ApiObject {
  apiVersion: "davit.dev/v1";
  kind: "Task";
  metadata: ObjectMeta;
  spec: TaskSpec;
  status?: TaskStatus;
}
/** One machine with an agent. */
export interface ContainerInstance extends ApiObject {
  apiVersion: "davit.dev/v1";
  kind: "ContainerInstance";
  metadata: ObjectMeta;
  spec: ContainerInstanceSpec;
  status?: ContainerInstanceStatus;
}
/** What lets a machine join, once, or a person in, until it expires. Only a hash of the secret is kept; deleting the object takes the token back. */
export interface AccessToken extends ApiObject {
  apiVersion: "davit.dev/v1";
  kind: "AccessToken";
  metadata: ObjectMeta;
  spec: AccessTokenSpec;
  status?: AccessTokenStatus;
}

/** Every Davit kind by name. */
export interface Kinds {
  Cluster: Cluster;
  TaskDefinition: TaskDefinition;
  TaskDefinitionFamily: TaskDefinitionFamily;
  TaskDefinitionRevision: TaskDefinitionRevision;
  Service: Service;
  TaskSet: TaskSet;
  Task: Task;
  ContainerInstance: ContainerInstance;
  AccessToken: AccessToken;
}
export type Kind = keyof Kinds;
/** What is sent to create an object of a kind. */
export type New<K extends Kind> = Omit<Kinds[K], "metadata"> & { metadata: NewObjectMeta };

/** How a kind is served. */
export interface ServedKind {
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** Whether it has the subresources `status` and `scale`. */
  readonly status: boolean;
  readonly scale: boolean;
}
export const KINDS: { readonly [K in Kind]: ServedKind } = {
  Cluster: {"plural":"clusters","singular":"cluster","shortNames":["dcl"],"status":true,"scale":false},
  TaskDefinition: {"plural":"taskdefinitions","singular":"taskdefinition","shortNames":["tdef"],"status":true,"scale":false},
  TaskDefinitionFamily: {"plural":"taskdefinitionfamilies","singular":"taskdefinitionfamily","shortNames":["tdf"],"status":false,"scale":false},
  TaskDefinitionRevision: {"plural":"taskdefinitionrevisions","singular":"taskdefinitionrevision","shortNames":["tdr"],"status":true,"scale":false},
  Service: {"plural":"services","singular":"service","shortNames":["dsvc"],"status":true,"scale":true},
  TaskSet: {"plural":"tasksets","singular":"taskset","shortNames":["dts"],"status":true,"scale":true},
  Task: {"plural":"tasks","singular":"task","shortNames":["dtask"],"status":true,"scale":false},
  ContainerInstance: {"plural":"containerinstances","singular":"containerinstance","shortNames":["dci"],"status":true,"scale":false},
  AccessToken: {"plural":"accesstokens","singular":"accesstoken","shortNames":["dtok"],"status":true,"scale":false},
};
