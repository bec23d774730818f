// Generated from crds/ by `npm run generate`. Do not edit.
import type { ApiObject, Condition, NewObjectMeta, ObjectMeta } from "./meta.js";

export interface Tag { key: string; value?: string }
export interface KeyValuePair { name: string; value: string }
export interface Attribute { name: string; value?: string; targetType?: "container-instance"; targetId?: string }
export interface PortMapping { containerPort?: number; hostPort?: number; protocol?: "tcp" | "udp"; name?: string; appProtocol?: "http" | "http2" | "grpc"; containerPortRange?: string }
export interface HealthCheck { command: string[]; interval?: number; timeout?: number; retries?: number; startPeriod?: number }
export interface LogConfiguration { logDriver: string; options?: Record<string, string>; secretOptions?: { name: string; valueFrom: string }[] }
export interface ContainerDependency { containerName: string; condition: "START" | "COMPLETE" | "SUCCESS" | "HEALTHY" }
export interface ContainerDefinition {
  name: string;
  image: string;
  cpu?: number;
  memory?: number;
  memoryReservation?: number;
  links?: string[];
  portMappings?: PortMapping[];
  essential?: boolean;
  entryPoint?: string[];
  command?: string[];
  workingDirectory?: string;
  environment?: KeyValuePair[];
  secrets?: { name: string; valueFrom: string }[];
  dependsOn?: ContainerDependency[];
  startTimeout?: number;
  stopTimeout?: number;
  hostname?: string;
  user?: string;
  privileged?: boolean;
  readonlyRootFilesystem?: boolean;
  dockerLabels?: Record<string, string>;
  healthCheck?: HealthCheck;
  logConfiguration?: LogConfiguration;
}
export interface PlacementConstraint { type: "distinctInstance" | "memberOf"; expression?: string }
export interface PlacementStrategy { type: "random" | "spread" | "binpack"; field?: string }
export interface AwsVpcConfiguration { subnets: string[]; securityGroups?: string[]; assignPublicIp?: "ENABLED" | "DISABLED" }
export interface NetworkConfiguration { awsvpcConfiguration?: AwsVpcConfiguration }
export type LaunchType = "EC2" | "FARGATE" | "EXTERNAL" | "MANAGED_INSTANCES";
export type HealthStatus = "HEALTHY" | "UNHEALTHY" | "UNKNOWN";

// ---- Cluster
export interface ClusterSpec { clusterName?: string; tags?: Tag[]; settings?: { name: "containerInsights"; value: string }[] }
export interface ClusterStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  clusterArn?: string;
  status?: "ACTIVE" | "PROVISIONING" | "DEPROVISIONING" | "FAILED" | "INACTIVE";
  registeredContainerInstancesCount?: number;
  runningTasksCount?: number;
  pendingTasksCount?: number;
  activeServicesCount?: number;
}
export interface Cluster extends ApiObject { apiVersion: "davit.dev/v1"; kind: "Cluster"; metadata: ObjectMeta; spec: ClusterSpec; status?: ClusterStatus }

// ---- TaskDefinition: the user's text, as written
export interface TaskDefinitionSpec {
  family?: string;
  containerDefinitions: ContainerDefinition[];
  taskRoleArn?: string;
  executionRoleArn?: string;
  networkMode?: "bridge" | "host" | "awsvpc" | "none";
  volumes?: { name?: string; host?: { sourcePath?: string } }[];
  placementConstraints?: { type: "memberOf"; expression?: string }[];
  requiresCompatibilities?: LaunchType[];
  cpu?: string | number;
  memory?: string | number;
  tags?: Tag[];
  pidMode?: "host" | "task";
  ipcMode?: "host" | "task" | "none";
}
export interface TaskDefinitionStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  /** The newest revision's number, its `family:N`, and its ARN. */
  revision?: number;
  latestRevision?: string;
  taskDefinitionArn?: string;
}
export interface TaskDefinition extends ApiObject { apiVersion: "davit.dev/v1"; kind: "TaskDefinition"; metadata: ObjectMeta; spec: TaskDefinitionSpec; status?: TaskDefinitionStatus }

// ---- TaskDefinitionFamily: the counter, never collected
export interface TaskDefinitionFamilySpec { family: string; /** Highest number ever given out; deregistered ones count. */ lastRevision: number }
export interface TaskDefinitionFamily extends ApiObject { apiVersion: "davit.dev/v1"; kind: "TaskDefinitionFamily"; metadata: ObjectMeta; spec: TaskDefinitionFamilySpec }

// ---- TaskDefinitionRevision `family.N`: immutable, normal form
export interface TaskDefinitionRevisionSpec extends TaskDefinitionSpec {
  family: string;
  revision: number;
  /** Normal form: integer units as decimal strings. */
  cpu?: string;
  memory?: string;
  /** SHA-256 (hex) of the normal form without family and revision: what "the same text" means. */
  contentHash: string;
}
export interface TaskDefinitionRevisionStatus {
  observedGeneration?: number;
  /** `Runnable` (False: `NotImplemented`, message `NotImplemented: <field>`), `FieldsIgnored`, `Ready`. */
  conditions?: Condition[];
  status?: "ACTIVE" | "INACTIVE" | "DELETE_IN_PROGRESS";
  taskDefinitionArn?: string;
  registeredAt?: string;
  deregisteredAt?: string;
  compatibilities?: LaunchType[];
}
export interface TaskDefinitionRevision extends ApiObject { apiVersion: "davit.dev/v1"; kind: "TaskDefinitionRevision"; metadata: ObjectMeta; spec: TaskDefinitionRevisionSpec; status?: TaskDefinitionRevisionStatus }

// ---- Service
export interface DeploymentConfiguration {
  maximumPercent?: number;
  minimumHealthyPercent?: number;
  /** Davit's own: seconds after RUNNING before a task without any check counts as healthy; 40 as in ECS. */
  minHealthySeconds?: number;
  deploymentCircuitBreaker?: { enable: boolean; rollback: boolean };
}
export interface ServiceSpec {
  cluster?: string;
  serviceName?: string;
  taskDefinition?: string;
  desiredCount?: number;
  launchType?: LaunchType;
  schedulingStrategy?: "REPLICA" | "DAEMON";
  deploymentConfiguration?: DeploymentConfiguration;
  deploymentController?: { type: "ECS" | "CODE_DEPLOY" | "EXTERNAL" };
  placementConstraints?: PlacementConstraint[];
  placementStrategy?: PlacementStrategy[];
  networkConfiguration?: NetworkConfiguration;
  healthCheckGracePeriodSeconds?: number;
  tags?: Tag[];
  enableECSManagedTags?: boolean;
  propagateTags?: "TASK_DEFINITION" | "SERVICE" | "NONE";
}
/** One deployment of a service, in ECS's shape, plus the task set that carries it. */
export interface Deployment {
  id: string;
  status: "PRIMARY" | "ACTIVE" | "INACTIVE";
  taskDefinition: string;
  taskSet: string;
  desiredCount: number;
  pendingCount: number;
  runningCount: number;
  failedTasks: number;
  createdAt: string;
  updatedAt: string;
  rolloutState: "COMPLETED" | "FAILED" | "IN_PROGRESS";
  rolloutStateReason?: string;
}
export interface ServiceEvent { id: string; createdAt: string; message: string }
export interface ServiceStatus {
  observedGeneration?: number;
  /** `Ready`, `Accepted`, `FieldsIgnored`, `Progressing`. */
  conditions?: Condition[];
  serviceArn?: string;
  clusterArn?: string;
  status?: "ACTIVE" | "DRAINING" | "INACTIVE";
  /** The resolved revision, `family:N`. */
  taskDefinition?: string;
  /** For the scale subresource. */
  desiredCount?: number;
  runningCount?: number;
  pendingCount?: number;
  /** Tasks that count as healthy now. */
  healthyCount?: number;
  selector?: string;
  deployments?: Deployment[];
  events?: ServiceEvent[];
  rejectedRevisions?: string[];
  /** State of the deployment machine for the primary deployment. */
  deploymentState?: string;
}
export interface Service extends ApiObject { apiVersion: "davit.dev/v1"; kind: "Service"; metadata: ObjectMeta; spec: ServiceSpec; status?: ServiceStatus }

// ---- TaskSet: one deployment of a service
export interface TaskSetSpec {
  cluster: string;
  /** metadata.name of the Service. */
  service: string;
  /** The pinned revision, `family:N`. */
  taskDefinition: string;
  /** PRIMARY: the deployment that is wanted; ACTIVE: an older one on its way out. */
  role: "PRIMARY" | "ACTIVE";
  scale?: { value: number; unit: "PERCENT" };
  /** Absolute count, set by the service controller at each step of a deployment. */
  desiredCount: number;
  /** Set by `davit rollout restart`, part of what makes a deployment distinct. */
  externalId?: string;
  launchType?: LaunchType;
  placementConstraints?: PlacementConstraint[];
  placementStrategy?: PlacementStrategy[];
  networkConfiguration?: NetworkConfiguration;
  tags?: Tag[];
}
export interface TaskSetStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  taskSetArn?: string;
  id?: string;
  status?: "PRIMARY" | "ACTIVE" | "DRAINING";
  computedDesiredCount?: number;
  pendingCount?: number;
  runningCount?: number;
  healthyCount?: number;
  failedTasks?: number;
  stabilityStatus?: "STEADY_STATE" | "STABILIZING";
  createdAt?: string;
  selector?: string;
}
export interface TaskSet extends ApiObject { apiVersion: "davit.dev/v1"; kind: "TaskSet"; metadata: ObjectMeta; spec: TaskSetSpec; status?: TaskSetStatus }

// ---- Task
export type TaskState = "PROVISIONING" | "PENDING" | "ACTIVATING" | "RUNNING" | "DEACTIVATING" | "STOPPING" | "DEPROVISIONING" | "STOPPED";
export type ContainerState = "PENDING" | "PULLED" | "CREATED" | "RUNNING" | "STOPPED";
export type TaskStopCode = "TaskFailedToStart" | "EssentialContainerExited" | "UserInitiated" | "ServiceSchedulerInitiated" | "SpotInterruption" | "TerminationNotice" | "InfrastructureHealth";
export interface ContainerOverride { name: string; command?: string[]; environment?: KeyValuePair[]; cpu?: number; memory?: number; memoryReservation?: number }
export interface TaskOverride { containerOverrides?: ContainerOverride[]; cpu?: string; memory?: string; taskRoleArn?: string; executionRoleArn?: string }
export interface TaskSpec {
  cluster?: string;
  /** `family:N`, `family` (newest when the task is first seen) or an ARN. */
  taskDefinition: string;
  group?: string;
  startedBy?: string;
  launchType?: LaunchType;
  overrides?: TaskOverride;
  /** Bound machine: metadata.name of a ContainerInstance. Set by the scheduler, or by the user (StartTask). Write-once. */
  containerInstance?: string;
  desiredStatus?: "RUNNING" | "STOPPED";
  stopCode?: TaskStopCode;
  stopReason?: string;
  placementConstraints?: PlacementConstraint[];
  placementStrategy?: PlacementStrategy[];
  networkConfiguration?: NetworkConfiguration;
  tags?: Tag[];
  enableExecuteCommand?: boolean;
}
export interface NetworkBinding { bindIP: string; containerPort: number; hostPort: number; protocol: "tcp" | "udp" }
export interface TaskContainer {
  name: string;
  image: string;
  imageDigest?: string;
  containerArn?: string;
  runtimeId?: string;
  lastStatus: ContainerState;
  exitCode?: number;
  reason?: string;
  healthStatus?: HealthStatus;
  networkBindings: NetworkBinding[];
  cpu?: string;
  memory?: string;
  memoryReservation?: string;
}
export interface TaskStatus {
  observedGeneration?: number;
  /** `Ready`, `Placed`, `FieldsIgnored`. */
  conditions?: Condition[];
  taskArn?: string;
  clusterArn?: string;
  taskDefinitionArn?: string;
  containerInstanceArn?: string;
  /** The revision that this task runs, `family:N`, resolved once. */
  taskDefinition?: string;
  lastStatus?: TaskState;
  desiredStatus?: "RUNNING" | "STOPPED";
  /** Rises by one with each written change of status; each value is exactly one event. */
  version?: number;
  connectivity?: "CONNECTED" | "DISCONNECTED";
  healthStatus?: HealthStatus;
  group?: string;
  cpu?: string;
  memory?: string;
  containers?: TaskContainer[];
  createdAt?: string;
  pullStartedAt?: string;
  pullStoppedAt?: string;
  startedAt?: string;
  /** When the task began to count as healthy; absent while it does not. */
  healthyAt?: string;
  stoppingAt?: string;
  executionStoppedAt?: string;
  stoppedAt?: string;
  stopCode?: TaskStopCode;
  stoppedReason?: string;
  /** For printer columns: the machine's hostname and `HOST:PORT→PORT/proto`, comma-separated. */
  host?: string;
  ports?: string;
}
export interface Task extends ApiObject { apiVersion: "davit.dev/v1"; kind: "Task"; metadata: ObjectMeta; spec: TaskSpec; status?: TaskStatus }

// ---- ContainerInstance
export interface Resource { name: string; type: "INTEGER" | "STRINGSET"; integerValue?: number; stringSetValue?: string[] }
export interface ContainerInstanceSpec {
  cluster?: string;
  /** What an operator wants of the machine; `davit drain` sets DRAINING. */
  status?: "ACTIVE" | "DRAINING";
  attributes?: Attribute[];
  tags?: Tag[];
}
export interface ContainerInstanceStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  containerInstanceArn?: string;
  ec2InstanceId?: string;
  hostname?: string;
  address?: string;
  status?: "REGISTERING" | "REGISTRATION_FAILED" | "ACTIVE" | "DRAINING" | "DEREGISTERING" | "INACTIVE";
  statusReason?: string;
  agentConnected?: boolean;
  /** Session number: rises with every sync. */
  epoch?: number;
  version?: number;
  versionInfo?: { agentVersion?: string; agentHash?: string; dockerVersion?: string };
  /** CPU, MEMORY (INTEGER), PORTS, PORTS_UDP (STRINGSET: the reserved ones). */
  registeredResources?: Resource[];
  remainingResources?: Resource[];
  attributes?: Attribute[];
  runningTasksCount?: number;
  pendingTasksCount?: number;
  registeredAt?: string;
}
export interface ContainerInstance extends ApiObject { apiVersion: "davit.dev/v1"; kind: "ContainerInstance"; metadata: ObjectMeta; spec: ContainerInstanceSpec; status?: ContainerInstanceStatus }

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
}
export type Kind = keyof Kinds;
/** What is sent to create an object of a kind. */
export type New<K extends Kind> = Omit<Kinds[K], "metadata"> & { metadata: NewObjectMeta };

/** Where each kind is served. */
export const KINDS: { readonly [K in Kind]: { plural: string; singular: string; shortNames: readonly string[] } } = {
  Cluster: { plural: "clusters", singular: "cluster", shortNames: ["dcl"] },
  TaskDefinition: { plural: "taskdefinitions", singular: "taskdefinition", shortNames: ["tdef"] },
  TaskDefinitionFamily: { plural: "taskdefinitionfamilies", singular: "taskdefinitionfamily", shortNames: ["tdf"] },
  TaskDefinitionRevision: { plural: "taskdefinitionrevisions", singular: "taskdefinitionrevision", shortNames: ["tdr"] },
  Service: { plural: "services", singular: "service", shortNames: ["dsvc"] },
  TaskSet: { plural: "tasksets", singular: "taskset", shortNames: ["dts"] },
  Task: { plural: "tasks", singular: "task", shortNames: ["dtask"] },
  ContainerInstance: { plural: "containerinstances", singular: "containerinstance", shortNames: ["dci"] },
};
