import assert from "node:assert/strict";
import { FIELDS } from "../../api/field-table.js";
import { fieldsWithoutEffect, notImplementedMessage, warningOf } from "../../api/fields.js";
import { normalForm } from "../../api/normal-form.js";
import type { ContainerDefinition, Kind, TaskDefinitionSpec } from "../../api/types.gen.js";

const ACTED_ON: ContainerDefinition = {
  name: "web",
  image: "nginx",
  command: ["a"],
  entryPoint: ["b"],
  workingDirectory: "/",
  environment: [{ name: "A", value: "b" }],
  portMappings: [{ containerPort: 80, hostPort: 80, protocol: "tcp" }],
  essential: true,
  cpu: 1,
  memory: 64,
  memoryReservation: 32,
  healthCheck: { command: ["CMD", "true"] },
  stopTimeout: 5,
  dockerLabels: { a: "b" },
  logConfiguration: { logDriver: "json-file", options: { "max-size": "1m" } },
};
const task = (container: object, rest: object = {}): TaskDefinitionSpec =>
  ({ ...rest, containerDefinitions: [{ ...ACTED_ON, ...container }] }) as TaskDefinitionSpec;
const effects = (spec: TaskDefinitionSpec) => fieldsWithoutEffect("TaskDefinition", spec);

describe("fields without effect", () => {
  it("are none of those that are acted on, also in normal form", () => {
    for (const networkMode of ["bridge", "host"] as const) {
      const spec = task({}, { networkMode, cpu: "1024", memory: "64", family: "web" });
      assert.deepEqual(effects(spec), { ignored: [] });
      assert.deepEqual(effects(normalForm(spec)), { ignored: [] });
      assert.equal(warningOf("TaskDefinition", spec), undefined);
    }
  });

  for (const [field, value] of Object.entries({
    secrets: [{ name: "A", valueFrom: "b" }],
    environmentFiles: [{ type: "s3", value: "b" }],
    user: "nobody",
    privileged: true,
    readonlyRootFilesystem: true,
    mountPoints: [{ sourceVolume: "a", containerPath: "/a" }],
    volumesFrom: [{ sourceContainer: "a" }],
    dependsOn: [{ containerName: "a", condition: "START" }],
    links: ["a"],
    hostname: "a",
    systemControls: [{ namespace: "net.core.somaxconn", value: "1" }],
    resourceRequirements: [{ type: "GPU", value: "1" }],
    restartPolicy: { enabled: true },
    ulimits: [{ name: "nofile", softLimit: 1, hardLimit: 1 }],
  }))
    it(`${field} is refused when a task would start`, () =>
      assert.deepEqual(effects(task({ [field]: value })), {
        ignored: [],
        notImplemented: `containerDefinitions[0].${field}`,
      }));

  it("capabilities are refused", () =>
    assert.equal(
      effects(task({ linuxParameters: { capabilities: { drop: ["ALL"] } } })).notImplemented,
      "containerDefinitions[0].linuxParameters.capabilities",
    ));

  for (const networkMode of ["awsvpc", "none"])
    it(`networkMode ${networkMode} is refused, with its value`, () =>
      assert.equal(effects(task({}, { networkMode })).notImplemented, `networkMode (${networkMode})`));

  it("volumes are refused, naming where they are mounted", () => {
    const volumes = [{ name: "a" }];
    assert.equal(effects(task({}, { volumes })).notImplemented, "volumes");
    const mountPoints = [{ sourceVolume: "a", containerPath: "/a" }];
    assert.equal(effects(task({ mountPoints }, { volumes })).notImplemented, "containerDefinitions[0].mountPoints");
  });

  it("what is off or empty counts as left out", () => {
    const off = { privileged: false, secrets: [], links: [], user: "", linuxParameters: { capabilities: {} } };
    assert.deepEqual(effects(task({ ...off, restartPolicy: { enabled: false } }, { volumes: [], tags: [] })), {
      ignored: [],
    });
  });

  it("log drivers of the cloud are ignored, and said so", () => {
    const options = { "awslogs-group": "a" };
    assert.deepEqual(effects(task({ logConfiguration: { logDriver: "awslogs", options } })), {
      ignored: [
        "containerDefinitions[0].logConfiguration.logDriver",
        "containerDefinitions[0].logConfiguration.options",
      ],
    });
    for (const logDriver of ["none", "syslog", "fluentd"])
      assert.deepEqual(effects(task({ logConfiguration: { logDriver, options: { tag: "a" } } })), { ignored: [] });
    assert.deepEqual(effects(task({ firelensConfiguration: { type: "fluentbit" } })), {
      ignored: ["containerDefinitions[0].firelensConfiguration"],
    });
  });

  it("are named in one Warning", () => {
    const spec = task({ user: "nobody" }, { tags: [{ key: "a" }], taskRoleArn: "arn:aws:iam::1:role/a" });
    assert.equal(
      warningOf("TaskDefinition", spec),
      "nothing will be started: NotImplemented: containerDefinitions[0].user; accepted without effect for now: taskRoleArn",
    );
    assert.equal(notImplementedMessage("volumes"), "NotImplemented: volumes");
  });

  it("of a service: other schedulers and controllers start nothing", () => {
    const service = (spec: object) => fieldsWithoutEffect("Service", { taskDefinition: "web", ...spec });
    assert.deepEqual(service({ schedulingStrategy: "REPLICA", launchType: "EC2", propagateTags: "NONE" }), {
      ignored: [],
    });
    assert.equal(service({ schedulingStrategy: "DAEMON" }).notImplemented, "schedulingStrategy (DAEMON)");
    assert.equal(
      service({ deploymentController: { type: "EXTERNAL" } }).notImplemented,
      "deploymentController.type (EXTERNAL)",
    );
    assert.deepEqual(
      service({
        loadBalancers: [{ containerName: "a" }],
        deploymentConfiguration: { minHealthySeconds: 1, deploymentCircuitBreaker: { enable: true, rollback: true } },
      }).ignored,
      ["loadBalancers", "deploymentConfiguration.deploymentCircuitBreaker"],
    );
  });

  for (const [placementStrategy, ignored] of [
    [
      [
        { type: "spread", field: "attribute:ecs.availability-zone" },
        { type: "spread", field: "instanceId" },
      ],
      false,
    ],
    [[{ type: "binpack", field: "memory" }], false],
    [[{ type: "random" }], false],
    [[{ type: "spread", field: "attribute:rack" }], true],
    [[{ type: "random" }, { type: "binpack", field: "cpu" }], true],
  ] as const)
    it(`of a placement strategy: ${placementStrategy.map((item) => Object.values(item).join(" ")).join(", then ")}`, () =>
      assert.deepEqual(
        fieldsWithoutEffect("Task", { placementStrategy }).ignored,
        ignored ? ["placementStrategy"] : [],
      ));

  it("of placement constraints: expressions, but not distinctInstance", () => {
    const constraints = (type: string) => fieldsWithoutEffect("Service", { placementConstraints: [{ type }] }).ignored;
    assert.deepEqual(constraints("distinctInstance"), []);
    assert.deepEqual(constraints("memberOf"), ["placementConstraints"]);
  });

  it("do not mind an object without a spec, or one of the wrong shape", () => {
    for (const kind of Object.keys(FIELDS) as Kind[])
      for (const spec of [
        undefined,
        null,
        1,
        [],
        { containerDefinitions: 3, tags: "a" },
        { containerDefinitions: [1] },
      ])
        assert.ok(fieldsWithoutEffect(kind, spec));
  });
});
