// docs/machines.md, line by line, on four machines: network namespaces, each with an agent of its own on real Docker.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ContainerInstance } from "../../api/types.gen.js";
import { createHttpClient, type HttpObjectClient } from "../../client/http-client.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import type { Output } from "../support/davit.js";
import { buildImage, removeImage } from "../support/images.js";
import { type Machine, type Machines, startMachines } from "../support/machines.js";
import { fileIn, type TypedLine, typedLines } from "../support/typed-lines.js";
import { eventually } from "../support/wait.js";

const PAGE = "machines.md";
const IMAGE = "davit-test-machines:1";

describe("several machines, as docs/machines.md says", function () {
  this.timeout(240_000);
  // One story: each step begins where the last one ended.
  this.bail(true);
  let lan: Machines;
  let api: HttpObjectClient;
  /** What the last `davit token create` printed. */
  let printed = "";
  const lines = typedLines(PAGE);
  const typed: TypedLine[] = [];

  before(async () => {
    await buildImage(IMAGE, { command: ["httpd", "-f", "-p", "8080", "-h", "/www"] });
    lan = await startMachines(["first", "second", "third", "fourth"]);
    writeFileSync(
      join(lan.machine("first").folder, "web.yaml"),
      fileIn(PAGE, "web.yaml").replaceAll("davit-quickstart-web:1", IMAGE),
    );
  });
  after(async () => {
    api?.close();
    await lan?.remove();
    await removeImage(IMAGE);
  });

  /** Types the next line of the page, which must be this section's; what differs from the page is the address and the
   *  token. */
  async function type(section: string): Promise<Output> {
    const next = lines[typed.length];
    assert.ok(next?.section === section, `the next line of the page is ${JSON.stringify(next)}`);
    typed.push(next);
    const here = next.line
      .replaceAll("10.0.0.5", lan.machine("first").address)
      .replace(/^davit join https:\S+ --token \S+/, () => printed);
    const output = await lan.machine(next.machine).run(here);
    assert.equal(output.code, 0, `${next.machine}$ ${here}\n${output.stdout}${output.stderr}`);
    if (next.line.startsWith("davit token create")) printed = output.stdout.trim();
    return output;
  }

  const instances = async (): Promise<readonly ContainerInstance[]> => (await api.list("ContainerInstance")).items;
  async function instanceOn(machine: string): Promise<ContainerInstance> {
    const found = (await instances()).filter(({ status }) => status?.hostname === machine);
    assert.equal(found.length, 1, `${machine} is one instance`);
    return found[0] as ContainerInstance;
  }
  const isThere = ({ status }: ContainerInstance): boolean =>
    status?.status === "ACTIVE" && status.agentConnected === true;
  const untilThere = (machine: string, id: string) =>
    eventually(`${machine} is there again`, async () => {
      const instance = await instanceOn(machine);
      assert.equal(instance.metadata.name, id, "it is the same instance");
      return isThere(instance);
    });
  /** Containers that run, by machine: as Docker has them. */
  const running = async (): Promise<Map<string, string[]>> =>
    new Map(await Promise.all(lan.machines.map(async (each) => [each.name, await each.containers()] as const)));
  /** Six tasks by the API's word, and their containers on these machines by Docker's. */
  const untilSixRun = (machines = ["first", "second", "third", "fourth"]) =>
    eventually(
      "six containers run",
      async () => {
        const { items } = await api.list("Task");
        const live = items.filter(
          ({ status }) => status?.lastStatus === "RUNNING" && status.desiredStatus !== "STOPPED",
        );
        const containers = await running();
        return live.length === 6 && machines.flatMap((name) => containers.get(name) ?? []).length === 6;
      },
      60_000,
    );

  /** Nobody can open a connection to it. */
  const shut = async ({ run }: Machine): Promise<void> => {
    const { code, stderr } = await run("iptables -A INPUT -i eth0 -p tcp --syn -j DROP");
    assert.equal(code, 0, stderr);
  };

  it("[01-60] [01-13] the printed line makes another machine join, though nothing can connect to it", async () => {
    const section = "A machine joins, by one line";
    await type("The first machine listens");
    const { connection } = await readKubeconfig({ path: join(lan.machine("first").lib, "davit/kubeconfig") });
    api = createHttpClient({ connection });
    for (const each of lan.machines.slice(1)) await shut(each);

    await type(section);
    await type(section);
    // The others stay in the foreground, with the printed line as it is.
    for (const name of ["third", "fourth"]) {
      const { stdout } = await lan.machine("first").run("davit token create");
      lan.machine(name).start(stdout.trim());
    }
    await eventually("four machines are there", async () => (await instances()).filter(isThere).length === 4);
    const { stdout } = await type(section);
    for (const { name } of lan.machines) assert.match(stdout, new RegExp(`\\b${name} +ACTIVE +true\\b`));
  });

  it("a service spreads over them", async () => {
    await type("Something to run");
    const { stdout } = await type("Something to run");
    assert.equal(stdout.match(/RUNNING/g)?.length, 6, stdout);
    await untilSixRun();
    const counts = [...(await running()).values()].map((containers) => containers.length);
    assert.deepEqual(counts.sort(), [1, 1, 2, 2]);
  });

  it("[01-60] a task of the external type runs on a machine that joined", async () => {
    const third = await instanceOn("third");
    const before = (await running()).get("third")?.length ?? 0;
    await api.create("Task", {
      apiVersion: "davit.dev/v1",
      kind: "Task",
      metadata: { name: "external", namespace: "default" },
      spec: { taskDefinition: "web", launchType: "EXTERNAL", containerInstance: third.metadata.name },
    });
    const task = () => api.get("Task", { namespace: "default", name: "external" });
    await eventually("it runs", async () => (await task())?.status?.lastStatus === "RUNNING");
    assert.equal((await running()).get("third")?.length, before + 1);
    await api.patch("Task", { namespace: "default", name: "external" }, { spec: { desiredStatus: "STOPPED" } });
    await untilSixRun();
  });

  it("[04-33] [04-34] a drained machine is empty and still DRAINING, and takes tasks again afterwards", async () => {
    await type("Empty a machine");
    const drained = await instanceOn("second");
    assert.equal(drained.status?.status, "DRAINING");
    assert.deepEqual((await running()).get("second"), []);
    await untilSixRun();
    await type("Empty a machine");
    await eventually("it is ACTIVE", async () => (await instanceOn("second")).status?.status === "ACTIVE");
    await untilTasksRunOn("second");
  });

  it("[04-8] an agent that starts again is the same instance, with the containers that it left", async () => {
    const { name } = (await instanceOn("second")).metadata;
    const before = await running();
    await lan.machine("second").kill();
    const { code, stderr } = await lan.machine("second").run("davit join --detach");
    assert.equal(code, 0, stderr);
    await untilThere("second", name);
    assert.deepEqual(await running(), before);
    assert.equal((await instances()).length, 4);
  });

  it("[04-7] a machine that was rebooted is the same instance, and tasks are placed on it", async () => {
    const { name } = (await instanceOn("second")).metadata;
    await lan.machine("second").reboot();
    await shut(lan.machine("second"));
    await type("Reboot a machine");
    await untilThere("second", name);
    assert.equal((await instances()).length, 4);
    await untilSixRun();
    await untilTasksRunOn("second");
  });

  it("a machine that falls silent says since when, and what becomes of its tasks", async () => {
    await lan.machine("third").link("down");
    await eventually("noticed", async () => (await instanceOn("third")).status?.agentConnected === false, 20_000);
    const { stdout } = await type("When a machine falls silent");
    assert.match(stdout, /^Agent: +silent \d+ s; tasks replaced at 5 min$/m);
  });

  it("a machine that leaves stops its tasks, is INACTIVE and not listed, and others take over", async () => {
    const { name } = (await instanceOn("fourth")).metadata;
    await type("Leave, deregister");
    await eventually("nothing runs on it", async () => (await lan.machine("fourth").processes()).length === 0);
    const left = await api.get("ContainerInstance", { namespace: "default", name });
    assert.equal(left?.status?.status, "INACTIVE");
    assert.deepEqual((await running()).get("fourth"), []);
    const { stdout } = await lan.machine("first").run("davit get instances");
    assert.doesNotMatch(stdout, /fourth/);
    await untilSixRun();
  });

  it("a machine out of reach is deregistered, others take over, and it clears up when it is back", async () => {
    const { name } = (await instanceOn("third")).metadata;
    assert.ok(((await running()).get("third")?.length ?? 0) > 0, "it has tasks");
    await type("Leave, deregister");
    await untilSixRun(["first", "second"]);
    const left = await api.get("ContainerInstance", { namespace: "default", name });
    assert.equal(left?.status?.status, "INACTIVE");
    await lan.machine("third").link("up");
    await eventually("it is cleared", async () => (await running()).get("third")?.length === 0, 60_000);
  });

  it("a machine whose credential is taken back is out within 5 s, and its containers run on", async () => {
    const before = (await running()).get("second");
    await type("Take a credential back");
    await eventually("it is out", async () => (await instanceOn("second")).status?.agentConnected === false, 5_000);
    assert.deepEqual((await running()).get("second"), before);
  });

  it("every line of the page was typed", () => assert.deepEqual(typed, lines));

  /** Two more tasks: the machine with the fewest gets them. */
  async function untilTasksRunOn(machine: string): Promise<void> {
    const scale = (desiredCount: number) =>
      api.patch("Service", { namespace: "default", name: "web" }, { spec: { desiredCount } });
    await scale(8);
    await eventually("tasks run there", async () => ((await running()).get(machine)?.length ?? 0) > 0, 30_000);
    await scale(6);
    await untilSixRun();
  }
});
