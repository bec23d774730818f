// Machines that are lost, under each policy at once, with real containers on three agents: one is cut off for longer
// than the limit and comes back, another dies with its containers. Who runs what is Docker's own word, not the API's.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LABELS } from "../../agent/runtimes/labels.js";
import type { ContainerInstance, LostInstances } from "../../api/types.gen.js";
import { createHttpClient, type HttpObjectClient } from "../../client/http-client.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import { execute } from "../support/davit.js";
import { buildImage, removeImage } from "../support/images.js";
import { doublesIn } from "../support/live-copies.js";
import { type Machines, startMachines } from "../support/machines.js";
import { eventually } from "../support/wait.js";
import { type Watched, watchContainers } from "../support/watch-containers.js";

const IMAGE = "davit-test-lost:1";
const AFTER_SECONDS = 15;
/** Longer than a machine that answers slowly, with an Engine that is busy, takes for anything here. */
const PATIENCE_MS = 40_000;

const POLICIES: Record<string, LostInstances> = {
  replaced: { action: "REPLACE", onReturn: "REPLACEMENT" },
  original: { action: "REPLACE", onReturn: "ORIGINAL" },
  stopped: { action: "STOP" },
  kept: { action: "KEEP" },
};
type Policy = keyof typeof POLICIES;

const manifest = Object.entries(POLICIES)
  .map(
    ([name, policy]) => `
apiVersion: davit.dev/v1
kind: TaskDefinition
metadata: { name: ${name} }
spec: { containerDefinitions: [{ name: main, image: "${IMAGE}", memory: 16, stopTimeout: 2 }] }
---
apiVersion: davit.dev/v1
kind: Service
metadata: { name: ${name} }
spec:
  taskDefinition: ${name}
  desiredCount: 3
  placementStrategy: [{ type: spread, field: instanceId }]
  deploymentConfiguration: { minHealthySeconds: 1 }
  lostInstances: ${JSON.stringify({ ...policy, afterSeconds: AFTER_SECONDS })}
`,
  )
  .join("---");

/** One container that runs. */
interface Copy {
  id: string;
  policy: Policy;
  task: string;
  machine: string;
}
interface Moment {
  atMs: number;
  copies: Copy[];
}

describe("machines that are lost, with real containers", function () {
  this.timeout(180_000);
  let lan: Machines;
  let api: HttpObjectClient;
  let watch: { stop(): Promise<Watched> } | undefined;
  const machineOf = new Map<string, string>();
  /** Each time when something else ran than before. */
  const moments: Moment[] = [];
  const doubles = new Set<string>();

  const now = (): readonly Copy[] => moments.at(-1)?.copies ?? [];
  const of = (policy: Policy, machine?: string): Copy[] =>
    now().filter((copy) => copy.policy === policy && (machine === undefined || copy.machine === machine));
  const ids = (copies: readonly Copy[]): string[] => copies.map(({ id }) => id).sort();
  const since = (fromMs: number): Moment[] => moments.filter(({ atMs }) => atMs >= fromMs);

  const instances = async (): Promise<readonly ContainerInstance[]> => (await api.list("ContainerInstance")).items;
  const instanceOn = async (machine: string): Promise<ContainerInstance> => {
    const found = (await instances()).find(({ status }) => status?.hostname === machine);
    assert.ok(found, machine);
    return found;
  };
  async function davit(line: string, machine = "first"): Promise<string> {
    const { code, stdout, stderr } = await lan.machine(machine).run(`davit ${line}`);
    assert.equal(code, 0, `davit ${line}: ${stdout}${stderr}`);
    return stdout;
  }

  async function lookOn(): Promise<void> {
    for (const { metadata, status } of await instances()) machineOf.set(metadata.name, status?.hostname ?? "");
    watch = await watchContainers({
      isOurs: (labels) => machineOf.has(labels[LABELS.agent] ?? ""),
      look(running) {
        for (const double of doublesIn(running)) doubles.add(double);
        const copies = [...running].map(([id, labels]) => ({
          id,
          policy: labels[LABELS.revision]?.split(":")[0] ?? "",
          task: labels[LABELS.task] ?? "",
          machine: machineOf.get(labels[LABELS.agent] ?? "") ?? "",
        }));
        if (String(ids(copies)) !== String(ids(now()))) moments.push({ atMs: performance.now(), copies });
      },
    });
  }

  before(async () => {
    await buildImage(IMAGE);
    lan = await startMachines(["first", "second", "third"]);
    await davit(`up --bind ${lan.machine("first").address} --detach`);
    const { connection } = await readKubeconfig({ path: join(lan.machine("first").lib, "davit/kubeconfig") });
    api = createHttpClient({ connection });
    for (const [name, ports] of [
      ["second", "20000-39999"],
      ["third", "40000-60999"],
    ] as const) {
      const line = (await davit("token create")).trim().replace(/^davit /, "");
      await davit(`${line} --cpu 1024 --memory 512 --ports ${ports} --detach`, name);
    }
    await eventually("three machines are there", async () => {
      const there = (await instances()).filter(({ status }) => status?.agentConnected);
      return there.length === 3;
    });
    await lookOn();
    writeFileSync(join(lan.machine("first").folder, "services.yaml"), manifest);
    await davit("apply -f services.yaml --wait");
  });
  after(async () => {
    await watch?.stop();
    api?.close();
    await lan?.remove();
    await removeImage(IMAGE);
  });

  const untilEach = (what: string, count: (policy: Policy) => number, timeoutMs = PATIENCE_MS) =>
    eventually(what, () => Object.keys(POLICIES).every((policy) => of(policy).length === count(policy)), timeoutMs);

  it("each service has a task on each machine", async () => {
    await untilEach("three of each", () => 3);
    for (const policy of Object.keys(POLICIES))
      assert.deepEqual(
        of(policy)
          .map(({ machine }) => machine)
          .sort(),
        ["first", "second", "third"],
      );
  });

  it("a machine is cut off for longer than the limit: each service has the copies that its policy says", async () => {
    const before = new Map(Object.keys(POLICIES).map((policy) => [policy, of(policy)]));
    const lost = (policy: Policy): string => before.get(policy)?.find(({ machine }) => machine === "third")?.id ?? "";
    const cutMs = performance.now();
    await lan.machine("third").link("down");

    await eventually("noticed", async () => (await instanceOn("third")).status?.agentConnected === false, 20_000);
    const noticedMs = performance.now() - cutMs;
    // Its replacements run, while what it runs itself cannot be reached. Its agent has stopped what must be stopped.
    await untilEach(
      "lost tasks are replaced",
      (policy) => (policy === "replaced" || policy === "original" ? 4 : 3),
      80_000,
    );
    await eventually(
      "what stopped by itself is replaced",
      () => of("stopped").length === 3 && of("stopped", "third").length === 0,
      80_000,
    );
    const backMs = performance.now();
    console.log(
      `      noticed after ${(noticedMs / 1000).toFixed(1)} s, cut off for ${((backMs - cutMs) / 1000).toFixed(1)} s`,
    );
    const during = since(cutMs).filter(({ atMs }) => atMs < backMs);
    for (const { copies, atMs } of during) {
      const count = (policy: Policy): number => copies.filter((copy) => copy.policy === policy).length;
      assert.ok(count("stopped") <= 3, "never one more than wanted, not even for a moment");
      for (const policy of ["replaced", "original"])
        if (count(policy) > 3)
          // Silence counts from the last heartbeat: up to five seconds before the cut.
          assert.ok(atMs - cutMs >= (AFTER_SECONDS - 5) * 1000, `${policy} was replaced after ${atMs - cutMs} ms`);
    }
    for (const policy of ["replaced", "original"])
      assert.ok(ids(of(policy)).includes(lost(policy)), "it runs on there");
    assert.deepEqual(ids(of("kept")), ids(before.get("kept") ?? []));
    const replacements = new Map(
      Object.keys(POLICIES).map((policy) => [
        policy,
        ids(of(policy)).filter((id) => !ids(before.get(policy) ?? []).includes(id)),
      ]),
    );

    // Something new waits for the machine: it must not start before the old is gone.
    const { name } = (await instanceOn("third")).metadata;
    await api.create("Task", {
      apiVersion: "davit.dev/v1",
      kind: "Task",
      metadata: { name: "newcomer", namespace: "default" },
      spec: { taskDefinition: "kept", containerInstance: name },
    });
    await lan.machine("third").link("up");
    await eventually("heard again", async () => (await instanceOn("third")).status?.agentConnected === true, 30_000);
    await untilEach("three of each, and the newcomer", (policy) => (policy === "kept" ? 4 : 3));
    const newcomer = of("kept", "third").find(({ id }) => id !== lost("kept"));
    assert.ok(newcomer, "the newcomer runs");
    for (const { copies } of since(backMs))
      if (copies.some(({ id }) => id === newcomer.id))
        assert.ok(!copies.some(({ id }) => id === lost("replaced")), "the old was gone before the new came");

    // Who wins.
    assert.ok(!ids(of("replaced")).includes(lost("replaced")));
    assert.ok(replacements.get("replaced")?.every((id) => ids(of("replaced")).includes(id)));
    assert.deepEqual(ids(of("original")), ids(before.get("original") ?? []), "the originals, and no other");
    assert.deepEqual(of("stopped", "third"), []);
    assert.ok(ids(before.get("kept") ?? []).every((id) => ids(of("kept")).includes(id)));
    await api.patch("Task", { namespace: "default", name: "newcomer" }, { spec: { desiredStatus: "STOPPED" } });
    await untilEach("three of each", () => 3);
  });

  it("a machine dies with its containers: its tasks are replaced after the set time, and what is kept when it is back", async () => {
    const machine = lan.machine("second");
    const had = Object.keys(POLICIES).filter((policy) => of(policy, "second").length > 0);
    assert.ok(had.includes("original") && had.includes("kept"), String(had));
    const diedMs = performance.now();
    await machine.kill();
    await execute("docker", ["rm", "-f", ...(await machine.containers("all"))]);
    const isReplaced = (policy: Policy): boolean => policy !== "kept";
    await untilEach("replaced", (policy) => (isReplaced(policy) ? 3 : 2), 80_000);
    const first = since(diedMs).find(({ copies }) => copies.some(({ id }) => !everBefore(diedMs).has(id)));
    const tookMs = (first?.atMs ?? 0) - diedMs;
    console.log(`      the first replacement ran after ${(tookMs / 1000).toFixed(1)} s`);
    assert.ok(tookMs >= (AFTER_SECONDS - 5) * 1000 && tookMs < AFTER_SECONDS * 1000 + PATIENCE_MS, `${tookMs} ms`);

    await davit("join --detach", "second");
    await untilEach("three of each", () => 3);
    assert.equal((await instances()).length, 3);
  });

  const everBefore = (ms: number): Set<string> =>
    new Set(moments.filter(({ atMs }) => atMs < ms).flatMap(({ copies }) => ids(copies)));

  it("no task ever had two live copies, and what the API says is what Docker has", async () => {
    const told = async (): Promise<string[]> => {
      const { items } = await api.list("Task");
      const live = items.filter(({ status }) => status?.lastStatus === "RUNNING");
      return live
        .flatMap(({ status }) => status?.containers ?? [])
        .flatMap(({ runtimeId }) => runtimeId ?? [])
        .sort();
    };
    await eventually("the API says what Docker has", async () => String(await told()) === String(ids(now())));
    for (const policy of Object.keys(POLICIES)) await api.delete("Service", { namespace: "default", name: policy });
    await eventually("nothing runs any more", () => now().length === 0, PATIENCE_MS);
    const seen = await watch?.stop();
    watch = undefined;
    assert.ok(seen);
    const { samples, forMs, longestGapMs } = seen;
    console.log(
      `      ${samples} samples in ${(forMs / 1000).toFixed(1)} s, at most ${longestGapMs.toFixed(0)} ms apart; ${doubles.size} tasks twice`,
    );
    assert.ok(samples >= forMs / 100, `${samples} samples in ${forMs} ms`);
    assert.deepEqual([...doubles], []);
  });
});
