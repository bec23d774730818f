import assert from "node:assert/strict";
import type { ApiObject } from "../../api/meta.js";
import { match, parseTargets } from "../../cli/api/names.js";
import { findResource } from "../../cli/api/resources.js";
import { UsageError } from "../../cli/failure.js";

const object = (
  kind: string,
  name: string,
  rest: object = {},
  uid = "00000000-0000-4000-8000-000000000000",
): ApiObject => ({
  apiVersion: "davit.dev/v1",
  kind,
  metadata: { name, namespace: "default", uid, resourceVersion: "1", generation: 1, creationTimestamp: "" },
  ...rest,
});
const service = object("Service", "web-shop-1a2b3c4d", { spec: { serviceName: "Web_Shop" } });
const other = object("Service", "web");
const task = object("Task", "web-1-x7k2p", {}, "4f2a9c00-1111-4222-8333-444455556666");
const machine = object("ContainerInstance", "4f2a9c0011114222833344445555aaaa", { status: { hostname: "rack1-7" } });
const revision = object("TaskDefinitionRevision", "web.3", { spec: { family: "web", revision: 3 } });

describe("names on the command line", () => {
  for (const [typed, among, wanted] of [
    ["web", [service, other], ["web"]],
    ["Web_Shop", [service, other], ["web-shop-1a2b3c4d"]],
    ["web-shop", [service, other], ["web-shop-1a2b3c4d"]],
    ["we", [service, other], ["web-shop-1a2b3c4d", "web"]],
    ["nothing", [service, other], []],
    ["4f2a9c00111142228333444455556666", [task], ["web-1-x7k2p"]],
    ["4f2a", [task], ["web-1-x7k2p"]],
    ["arn:aws:ecs:local:000000000000:task/prod/4f2a9c00111142228333444455556666", [task], ["web-1-x7k2p"]],
    ["rack1-7", [machine], ["4f2a9c0011114222833344445555aaaa"]],
    ["rack", [machine], ["4f2a9c0011114222833344445555aaaa"]],
    ["web:3", [revision], ["web.3"]],
  ] as const)
    it(`${typed} means ${wanted.join(" or ") || "nothing"}`, () =>
      assert.deepEqual(
        match(typed, among).map(({ metadata }) => metadata.name),
        [...wanted],
      ));

  for (const [typed, kind] of [
    ["services", "Service"],
    ["service", "Service"],
    ["dsvc", "Service"],
    ["Tasks", "Task"],
    ["dci", "ContainerInstance"],
    ["machines", "ContainerInstance"],
    ["services.davit.dev", "Service"],
    ["ns", "Namespace"],
  ] as const)
    it(`the kind ${typed} is ${kind}`, () => assert.equal(findResource(typed).kind, kind));

  it("an unknown kind is a usage error that lists the kinds", () =>
    assert.throws(
      () => findResource("pods"),
      (error) => error instanceof UsageError && error.message.includes("tasks"),
    ));

  it("KIND NAME… and KIND/NAME… are both taken, a mixture is not", () => {
    const short = (args: string[]) => parseTargets(args).map(({ resource, name }) => `${resource.kind} ${name}`);
    assert.deepEqual(short(["task", "a", "b"]), ["Task a", "Task b"]);
    assert.deepEqual(short(["task/a", "service/b"]), ["Task a", "Service b"]);
    assert.deepEqual(short(["task"]), ["Task undefined"]);
    assert.deepEqual(short(["dsvc,tasks"]), ["Service undefined", "Task undefined"]);
    assert.throws(() => parseTargets(["task/a", "b"]), UsageError);
  });
});
