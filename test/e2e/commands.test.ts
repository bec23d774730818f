// The commands against a whole Davit on simulated machines, as a user types them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Task } from "../../api/types.gen.js";
import { Davit, type Output } from "../support/davit.js";
import { eventually } from "../support/wait.js";

const DAVIT = new URL("../../cli/davit.js", import.meta.url).pathname;
const MANIFESTS = new URL("../../../manifests/", import.meta.url).pathname;

const definition = (name: string, memory = 64): string => `apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: ${name} }
spec: { containerDefinitions: [{ name: main, image: any, memory: ${memory}, portMappings: [{ containerPort: 80 }] }] }
`;
const service = (name: string, count: number): string => `apiVersion: davit.dev/v1
kind: Service
metadata: { name: ${name} }
spec: { taskDefinition: ${name}, desiredCount: ${count}, deploymentConfiguration: { minHealthySeconds: 0 } }
`;

describe("commands on simulated machines", function () {
  this.timeout(120_000);
  let davit: Davit;
  before(async () => {
    davit = await Davit.start("commands", ["--runtime", "simulated", "--instances", "2"]);
    await eventually("both machines are there", async () => (await davit.list("ContainerInstance")).length === 2);
  });
  after(() => davit?.purge());

  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await davit.cli(...args);
    assert.equal(code, 0, `davit ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  const fails = async (...args: string[]): Promise<Output> => {
    const result = await davit.cli(...args);
    assert.equal(result.code, 1, `davit ${args.join(" ")}: ${result.stdout}${result.stderr}`);
    return result;
  };
  async function apply(name: string, text: string, ...args: string[]): Promise<string> {
    const path = join(davit.folder, name);
    writeFileSync(path, text);
    return ok("apply", "-f", path, ...args);
  }

  it("apply --wait, and the same again is unchanged; kubectl and davit follow each other", async () => {
    const text = `${definition("web")}---\n${service("web", 3)}`;
    assert.match(
      await apply("web.yaml", text, "--wait"),
      /taskdefinition\.davit\.dev\/web created\nservice\.davit\.dev\/web created/,
    );
    assert.match(await apply("web.yaml", text), /web unchanged\nservice\.davit\.dev\/web unchanged/);
    const kubectl = await davit.kubectl("apply", "-f", join(davit.folder, "web.yaml"));
    assert.equal(
      kubectl.stdout,
      "taskdefinition.davit.dev/web unchanged\nservice.davit.dev/web unchanged\n",
      kubectl.stderr,
    );
  });

  it("get: tables, names, JSON, YAML; stopped tasks only when asked for", async () => {
    assert.match(await ok("get", "tasks"), /^NAME +REVISION +STATE/);
    const names = (await ok("get", "tasks", "-o", "name")).trim().split("\n");
    assert.equal(names.length, 3);
    const [name = ""] = names;
    const { metadata } = JSON.parse(await ok("get", name, "-o", "json")) as { metadata: { uid: string; name: string } };
    const byId = await ok("get", `task/${metadata.uid.replaceAll("-", "").slice(0, 12)}`, "-o", "name");
    assert.equal(byId.trim(), name);
    assert.match(await ok("get", "service", "web", "-o", "yaml"), /^apiVersion: davit\.dev\/v1\nkind: Service\n/);
    assert.match(
      (await fails("get", "service", "nothing")).stderr,
      /there is no service "nothing" in namespace default/,
    );
    await ok("stop", metadata.name, "--reason", "tried", "--wait");
    assert.ok(!(await ok("get", "tasks", "-o", "name")).includes(metadata.name));
    assert.ok((await ok("get", "tasks", "--stopped", "-o", "name")).includes(metadata.name));
    assert.match(await ok("describe", `task/${metadata.name}`), /Stopped because: +tried|Stopped because: +.*tried/);
  });

  it("describe, status and rollout status say how a service is", async () => {
    assert.match(await ok("rollout", "status", "service/web"), /service web is rolled out: 3 of 3 tasks of web:1 run/);
    assert.match(await ok("describe", "service", "web"), /Deployments:\n +ROLE/);
    const status = await ok("status");
    assert.match(status, /Machines \(2\)/);
    assert.match(status, /Services: 1 steady/);
  });

  it("a service that can't be steady is shown with its reason", async () => {
    await apply("large.yaml", `${definition("large", 900_000)}---\n${service("large", 1)}`);
    await eventually("the reason", async () =>
      /large/.test(/Services:.*1 not[\s\S]*/.exec(await ok("status"))?.[0] ?? ""),
    );
    assert.match(
      (await fails("apply", "-f", join(davit.folder, "large.yaml"), "--wait", "--timeout", "1")).stderr,
      /not Ready after 1 s: /,
    );
    assert.match(await ok("delete", "-f", join(davit.folder, "large.yaml")), /service\.davit\.dev\/large deleted/);
    assert.match((await fails("get", "service", "large")).stderr, /there is no service/);
  });

  it("run answers with what it started, and with failures at once", async () => {
    const names = (await ok("run", "web", "--count", "2", "--wait", "running", "-o", "name")).trim().split("\n");
    assert.equal(names.length, 2);
    for (const name of names) await ok("stop", name.replace("task.davit.dev/", ""));
    const request = join(davit.folder, "run.json");
    const overrides = { containerOverrides: [{ name: "main", environment: [{ name: "A", value: "1" }] }] };
    writeFileSync(request, JSON.stringify({ taskDefinition: "web", count: 1, overrides, startedBy: "me" }));
    const list = JSON.parse(await ok("run", "-f", request, "-o", "json")) as { items: Task[] };
    assert.equal(list.items[0]?.spec.startedBy, "me");
    assert.deepEqual(list.items[0]?.spec.overrides, overrides);
    await ok("stop", list.items[0]?.metadata.name ?? "");
    assert.match((await fails("run", "nothing")).stderr, /there is no taskdefinition "nothing"/);
    assert.match((await fails("run", "web:9")).stderr, /there is no task definition web:9/);
    await apply("huge.yaml", definition("huge", 900_000));
    await eventually("registered", async () =>
      (await davit.list("TaskDefinitionRevision")).some(({ spec }) => spec.family === "huge"),
    );
    const { stderr } = await fails("run", "huge");
    assert.match(stderr, /1 of 1 tasks could not be run:\n +huge-[0-9a-f]+: .*MEMORY/i);
    await eventually("it is not left waiting", async () =>
      (await davit.list("Task")).every(({ metadata }) => !metadata.name.startsWith("huge-")),
    );
  });

  it("events: the present state, then what changes", async () => {
    const present = (await ok("events", "-o", "json", "--kind", "task"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { detail: { davit: { kind: string } } });
    assert.ok(present.length >= 3);
    assert.ok(present.every(({ detail }) => detail.davit.kind === "Task"));
    const watching = spawn(process.execPath, [DAVIT, "events", "-w"], {
      env: { ...process.env, DAVIT_DATA_DIR: davit.folder },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let seen = "";
    watching.stdout.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
    });
    try {
      await eventually("the present", () => seen.includes("Service default/web"));
      await ok("kubectl", "scale", "services.davit.dev/web", "--replicas=4");
      await eventually("the change", () => (seen.match(/Task default\/web-3-\w+ {2}RUNNING/g)?.length ?? 0) > 0);
    } finally {
      watching.kill("SIGTERM");
      await eventually("it ends", () => watching.exitCode !== null || watching.signalCode !== null);
    }
  });

  it("ECS JSON goes through the front door; a family in it means the newest revision, once", async () => {
    const json = JSON.stringify({ serviceName: "Pinned_One", taskDefinition: "web", desiredCount: 1 });
    await apply("service.json", json);
    const [pinned] = (await davit.list("Service")).filter(({ spec }) => spec.serviceName === "Pinned_One");
    assert.equal(pinned?.spec.taskDefinition, "web:1");
    await ok("delete", "service", "Pinned_One");
  });

  it("every file in manifests/ applies as it stands and becomes Ready", async () => {
    await ok("apply", "-f", join(MANIFESTS, "examples"), "--wait");
    await ok("delete", "service", "web");
    await ok("apply", "-f", join(MANIFESTS, "quickstart"), "--wait");
    const files = readdirSync(MANIFESTS, { recursive: true }).map(String);
    for (const file of files) assert.match(file, /^(quickstart|examples)(\/|$)/, "a folder that no test applies");
  });

  it("what the controllers did is counted, for Prometheus to read", async () => {
    const { stdout } = await davit.kubectl("get", "--raw", "/metrics");
    assert.match(stdout, /^davit_reconciles_total\{controller="cluster",result="done"\} [1-9]/m);
    assert.match(stdout, /^davit_reconciles_total\{controller="retention",result="failed"\} 0$/m);
  });

  it("bus info and version tell what a stranger needs", async () => {
    const facts = JSON.parse(await ok("bus", "info", "-o", "json")) as { url: string; credentials: string };
    assert.match(facts.url, /^nats:\/\/127\.0\.0\.1:\d+$/);
    assert.match(await ok("bus", "info"), /for await \(const message of bus\.subscribe/);
    assert.match(await ok("version"), /client: \d[\s\S]*server: v?\d/);
  });
});

describe("davit up --manifests", function () {
  this.timeout(120_000);
  it("applies the folder, prunes, holds a large loss until `davit gitops confirm`", async () => {
    const folder = join(process.env.TMPDIR ?? "/tmp", `davit-test-manifests-${process.pid}`);
    mkdirSync(folder);
    const names = ["a", "b", "c", "d"];
    for (const name of names) writeFileSync(join(folder, `${name}.yaml`), definition(name));
    const davit = await Davit.start("manifests", ["--runtime", "simulated", "--manifests", folder]);
    try {
      const there = async () =>
        (await davit.list("TaskDefinition"))
          .map(({ metadata }) => metadata.name)
          .sort()
          .join("");
      await eventually("applied", async () => (await there()) === "abcd");
      rmSync(join(folder, "a.yaml"));
      await eventually("pruned", async () => (await there()) === "bcd");
      for (const name of ["b", "c"]) rmSync(join(folder, `${name}.yaml`));
      await eventually("held", async () => /Held/.test((await davit.cli("gitops", "status")).stdout));
      assert.match((await davit.cli("status")).stdout, /Manifests: Held\n.*2 of 3 objects left the folder/);
      assert.equal(await there(), "bcd");
      assert.equal((await davit.cli("gitops", "confirm")).code, 0);
      await eventually("let go", async () => (await there()) === "d");
      assert.equal((await davit.cli("gitops", "confirm")).code, 1);
    } finally {
      await davit.purge();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
