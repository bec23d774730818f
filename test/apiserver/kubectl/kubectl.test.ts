// What people do with kubectl, by kubectl itself, old and new.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";
import { type Kubectl, kubectls, kubectlVersions } from "../../support/kubectl.js";
import { eventually } from "../../support/wait.js";
import { container, definition, SERVICES, service } from "../support/objects.js";
import { startServer, type TestServer } from "../support/server.js";

for (const version of kubectlVersions())
  describe(`kubectl ${version}`, function () {
    this.timeout(30_000);
    let server: TestServer;
    let kubectl: Kubectl;
    let all: Kubectl[];
    const isOld = version === "1.20";

    before(async () => {
      server = await startServer(`kubectl-${version}`);
      all = kubectls(server.kubeconfig);
      const found = all.find((each) => each.version === version);
      assert(found);
      kubectl = found;
    });
    after(async () => {
      for (const each of all) each.remove();
      await server.close();
      assert.deepEqual(server.errors, []);
    });

    /** Runs it, and fails the test if it fails. */
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await kubectl(args);
      assert.equal(code, 0, `kubectl ${args.join(" ")}: ${stderr}`);
      return stdout + stderr;
    };
    /** Runs it, and fails the test if it succeeds. */
    const refused = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await kubectl(args);
      assert.equal(code, 1, `kubectl ${args.join(" ")} gave ${code}: ${stdout}${stderr}`);
      return stderr;
    };
    const file = (name: string, ...documents: unknown[]): string => {
      const path = join(server.folder, name);
      mkdirSync(server.folder, { recursive: true });
      writeFileSync(path, documents.map((d) => (typeof d === "string" ? d : dump(d))).join("\n---\n"));
      return path;
    };
    const revision = () => server.store.revision();
    const get = async (name: string) => (await server.call("GET", `${SERVICES}/${name}`)).body;
    const apply = (name: string, ...documents: unknown[]) => run("apply", "-f", file(`${name}.json`, ...documents));

    describe("looks around", () => {
      it("version, api-resources, api-versions, cluster health", async () => {
        assert.match(await run("version"), /v1\.32\.0\+davit/);
        const resources = await run("api-resources", "--api-group=davit.dev", "-o", "wide");
        assert.match(resources, /^services +dsvc +davit\.dev\/v1 +true +Service /m);
        assert.match(await run("api-versions"), /^davit\.dev\/v1\nv1$/m);
        assert.equal((await run("get", "--raw", "/readyz")).trim(), "ok");
      });
      it("explain", async () => {
        const text = await run("explain", "service.spec");
        assert.match(text, /desiredCount\s+<integer>/);
        assert.match(text, /KIND: +Service/);
        assert.match(
          await run("explain", "tdef.spec.containerDefinitions.portMappings", "--recursive"),
          /hostPort\s+<integer>/,
        );
        assert.match(await run("explain", "cluster.metadata.labels"), /labels\s+<map\[string\]string>/);
      });
      it("get in every form", async () => {
        await apply("forms", service("form-a", { desiredCount: 2 }, { labels: { tier: "a" } }), service("form-b"));
        assert.match(await run("get", "services"), /^NAME +.*AGE\n(.*\n)*form-a /m);
        assert.match(await run("get", "dsvc", "form-a", "-o", "wide"), /^form-a /m);
        assert.match(await run("get", "service/form-a", "-o", "yaml"), /^ {2}desiredCount: 2$/m);
        assert.equal(await run("get", "dsvc", "-l", "tier in (a,b)", "-o", "name"), "service.davit.dev/form-a\n");
        assert.equal(
          await run("get", "dsvc", "--field-selector", "metadata.name=form-b", "-o", "name"),
          "service.davit.dev/form-b\n",
        );
        assert.equal(await run("get", "dsvc", "form-a", "-o", "jsonpath={.spec.desiredCount}"), "2");
        assert.match(
          await run("get", "dsvc", "-A", "--show-labels"),
          /^NAMESPACE .*LABELS\n(.*\n)*default +form-a .*tier=a/m,
        );
        assert.match(
          await run(
            "get",
            "dsvc",
            "--sort-by=.spec.desiredCount",
            "-o",
            "custom-columns=N:.metadata.name,C:.spec.desiredCount",
          ),
          /form-b +1\nform-a +2/,
        );
        assert.match(await run("get", "davit"), /service\.davit\.dev\/form-a/);
        assert.match(
          await refused("get", "dsvc", "ghost"),
          /^Error from server \(NotFound\): services\.davit\.dev "ghost" not found/,
        );
      });
      it("[01-1] get clusters: `default` is there at first use", async () => {
        assert.match(await run("get", "clusters"), /^default /m);
      });
      it("describe, with no events to show", async () => {
        await apply("desc", service("desc"));
        const text = await run("describe", "dsvc", "desc");
        assert.match(text, /^Name: +desc$/m);
        assert.match(text, /Desired Count: +1/);
      });
      it("get -w shows what changes, as it changes", async () => {
        const child = kubectl.start(["get", "dsvc", "-w", "--field-selector", "metadata.name=watched"]);
        let seen = "";
        child.stdout?.on("data", (chunk: Buffer) => {
          seen += chunk.toString();
        });
        try {
          await apply("watched", service("watched"));
          await eventually("the new service is shown", () => /^watched /m.test(seen));
          await run("scale", "dsvc/watched", "--replicas=5");
          await eventually("the change is shown", () => (seen.match(/^watched /gm) ?? []).length >= 2);
        } finally {
          child.kill();
        }
      });
    });

    describe("applies", () => {
      it("new, unchanged, changed, and with a field taken out", async () => {
        const first = service("three-way", { desiredCount: 3, launchType: "EC2" }, { labels: { a: "1", b: "2" } });
        assert.match(await apply("tw", first), /service\.davit\.dev\/three-way created/);
        const before = revision();
        assert.match(await apply("tw", first), /three-way unchanged/);
        assert.equal(revision(), before, "a repeated apply writes nothing");
        await run("label", "dsvc", "three-way", "mine=yes");
        const second = service("three-way", { desiredCount: 4 }, { labels: { a: "1" } });
        assert.match(await apply("tw", second), /three-way configured/);
        const { spec, metadata } = await get("three-way");
        assert.equal(spec.desiredCount, 4);
        assert.equal(
          "launchType" in spec && spec.launchType === "EC2",
          false,
          "what left the manifest left the object",
        );
        assert.deepEqual(metadata.labels, { a: "1", mine: "yes" }, "what others set stays");
      });
      it("diff: 0 without a difference, 1 with one", async () => {
        await apply("df", service("differs"));
        assert.equal((await kubectl(["diff", "-f", file("df.json", service("differs"))])).code, 0);
        const before = revision();
        const { code, stdout } = await kubectl([
          "diff",
          "-f",
          file("df.json", service("differs", { desiredCount: 9 })),
        ]);
        assert.equal(code, 1);
        assert.match(stdout, /^\+ +desiredCount: 9$/m);
        assert.equal(revision(), before);
      });
      it("several documents, and a whole folder", async () => {
        const folder = join(server.folder, "folder");
        mkdirSync(folder);
        writeFileSync(join(folder, "a.yaml"), `${dump(service("many-a"))}---\n${dump(service("many-b"))}`);
        const said = await run("apply", "-f", folder);
        assert.match(said, /many-a created[\s\S]*many-b created/);
      });
      it("--dry-run=server stores nothing", async () => {
        const before = revision();
        assert.match(
          await run("apply", "--dry-run=server", "-f", file("dry.json", service("dry"))),
          /created \(server dry run\)/,
        );
        assert.equal(revision(), before);
      });
      it("a namespace, and objects in it", async () => {
        const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "team-a" } };
        assert.match(
          await apply("ns", namespace, service("web", {}, { namespace: "team-a" })),
          /namespace\/team-a created/,
        );
        assert.equal(await run("-n", "team-a", "get", "dsvc", "-o", "name"), "service.davit.dev/web\n");
        assert.match(
          await apply("ns", { ...namespace, metadata: { name: "team-a", labels: { a: "b" } } }),
          /namespace\/team-a configured/,
        );
        assert.match(await run("get", "ns", "team-a", "--show-labels"), /Active .*a=b/);
        assert.match(await run("delete", "ns", "team-a"), /namespace "team-a" deleted/);
        assert.match(await refused("get", "ns", "team-a"), /NotFound/);
      });
      it("server-side apply is refused in words", async () => {
        const text = await refused("apply", "--server-side", "-f", file("ssa.json", service("ssa")));
        assert.match(text, /server-side apply .* is not carried out by this server yet/);
      });
    });

    describe("changes", () => {
      it("create and replace", async () => {
        assert.match(await run("create", "-f", file("cr.json", service("created"))), /created$/m);
        assert.match(
          await refused("create", "-f", file("cr.json", service("created"))),
          /AlreadyExists.*services\.davit\.dev "created" already exists/,
        );
        assert.match(await run("replace", "-f", file("cr.json", service("created", { desiredCount: 8 }))), /replaced/);
        assert.equal((await get("created")).spec.desiredCount, 8);
        const { uid } = (await get("created")).metadata;
        await run("replace", "--force", "-f", file("cr.json", service("created")));
        assert.notEqual((await get("created")).metadata.uid, uid);
      });
      it("edit", async () => {
        await apply("ed", service("edited"));
        const editor = file("editor.sh", '#!/bin/sh\nsed -i "s/desiredCount: 1/desiredCount: 6/" "$1"\n');
        const { code, stderr } = await kubectl(["edit", "dsvc", "edited"], { EDITOR: `sh ${editor}` });
        assert.equal(code, 0, stderr);
        assert.equal((await get("edited")).spec.desiredCount, 6);
      });
      it("patch: merge and JSON; strategic is refused", async () => {
        await apply("pa", service("patched"));
        await run("patch", "dsvc", "patched", "--type=merge", "-p", '{"spec":{"desiredCount":2}}');
        await run(
          "patch",
          "dsvc",
          "patched",
          "--type=json",
          "-p",
          '[{"op":"replace","path":"/spec/desiredCount","value":3}]',
        );
        assert.equal((await get("patched")).spec.desiredCount, 3);
        assert.match(
          await refused("patch", "dsvc", "patched", "-p", '{"spec":{"desiredCount":4}}'),
          /UnsupportedMediaType|415|unknown format/,
        );
      });
      it("label and annotate", async () => {
        await apply("la", service("marked"));
        await run("label", "dsvc/marked", "a=b");
        await run("label", "dsvc/marked", "a-");
        await run("annotate", "dsvc/marked", "note=x y");
        const { metadata } = await get("marked");
        assert.deepEqual([metadata.labels, metadata.annotations?.note, metadata.generation], [undefined, "x y", 1]);
        assert.match(await refused("label", "dsvc/marked", "a=b c"), /a valid label must be/);
      });
      it("scale, with and without --current-replicas", async () => {
        await apply("sc", service("scaled"));
        await run("scale", "dsvc/scaled", "--replicas=4");
        await run("scale", "dsvc/scaled", "--replicas=5", "--current-replicas=4");
        assert.equal((await get("scaled")).spec.desiredCount, 5);
        assert.match(
          await refused("scale", "dsvc/scaled", "--replicas=9", "--current-replicas=4"),
          /Expected replicas to be 4, was 5/,
        );
      });
      it("wait for a condition, and for a deletion", async () => {
        await apply("wa", service("awaited", {}, { finalizers: ["davit.dev/test"] }));
        const waiting = run("wait", "dsvc/awaited", "--for=condition=Ready", "--timeout=20s");
        const condition = {
          type: "Ready",
          status: "True",
          reason: "Test",
          message: "",
          lastTransitionTime: "2026-01-01T00:00:00Z",
        };
        await eventually("status is written", async () => {
          const object = await get("awaited");
          return (
            (await server.call("PUT", `${SERVICES}/awaited/status`, { ...object, status: { conditions: [condition] } }))
              .code === 200
          );
        });
        assert.match(await waiting, /awaited condition met/);
        await run("delete", "dsvc", "awaited", "--wait=false");
        const open = server.watches();
        const gone = run("wait", "dsvc/awaited", "--for=delete", "--timeout=20s");
        await eventually("kubectl watches", () => server.watches() > open);
        await run("patch", "dsvc", "awaited", "--type=merge", "-p", '{"metadata":{"finalizers":null}}');
        await gone;
        assert.match(await refused("get", "dsvc", "awaited"), /NotFound/);
      });
      it("delete: one, by selector, by file, all", async () => {
        const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "bin" } };
        const inBin = (name: string) => service(name, {}, { namespace: "bin", labels: { which: name } });
        await apply("bin", namespace, ...["a", "b", "c", "d", "e"].map(inBin));
        assert.match(await run("-n", "bin", "delete", "dsvc", "a"), /service\.davit\.dev "a" deleted/);
        await run("-n", "bin", "delete", "dsvc", "-l", "which=b");
        await run("delete", "-f", file("c.json", inBin("c")));
        assert.equal(await run("-n", "bin", "get", "dsvc", "-o", "name"), "service.davit.dev/d\nservice.davit.dev/e\n");
        await run("-n", "bin", "delete", "dsvc", "--all");
        assert.match(await run("-n", "bin", "get", "dsvc"), /No resources found in bin namespace/);
        await run("delete", "ns", "bin");
      });
      it("delete --cascade=foreground is refused in words", async () => {
        await apply("fg", service("fg"));
        if (isOld)
          return assert.match(
            await refused("delete", "dsvc", "fg", "--cascade=foreground"),
            /Foreground is not carried out/,
          );
        assert.match(await refused("delete", "dsvc", "fg", "--cascade=foreground"), /Foreground is not carried out/);
      });
    });

    describe("is told what is wrong", () => {
      it("two errors at once, each with its field", async () => {
        const bad = file("two.json", service("two", { desiredCount: -1, placementStrategy: [{ type: "pile" }] }));
        const text = await refused("apply", "-f", bad);
        assert.match(text, /spec\.desiredCount: Invalid value: -1: .*should be greater than or equal to 0/);
        assert.match(
          text,
          /spec\.placementStrategy\[0\]\.type: Unsupported value: "pile": supported values: "random", "spread", "binpack"/,
        );
        assert.match(text, /two/);
        assert.equal((await get("two")).reason, "NotFound");
      });
      it("an unknown field", async () => {
        const text = await refused("apply", "-f", file("unk.json", service("unk", { desiredCout: 1 })));
        assert.match(
          text,
          isOld ? /unknown field "desiredCout"/ : /strict decoding error: unknown field "spec\.desiredCout"/,
        );
      });
      it("a wrong type", async () => {
        const text = await refused("apply", "-f", file("type.json", service("type", { desiredCount: "many" })));
        assert.match(
          text,
          isOld
            ? /invalid type for .*desiredCount: got "string", expected "integer"/
            : /spec\.desiredCount: Invalid value: "many": .*must be of type integer/,
        );
      });
      it("an unknown kind", async () => {
        const text = await refused("apply", "-f", file("kind.json", { ...service("kind"), kind: "Servise" }));
        assert.match(text, /no matches for kind "Servise" in version "davit\.dev\/v1"/);
      });
      it("[01-28] a task definition without containers", async () => {
        const text = await refused("apply", "-f", file("none.json", definition("none", { containerDefinitions: [] })));
        assert.match(text, /spec\.containerDefinitions/);
      });
      it("[01-29] eleven containers; ten are taken", async () => {
        const containers = (count: number) => Array.from({ length: count }, (_, i) => container(`c${i}`));
        await apply("ten", definition("ten", { containerDefinitions: containers(10) }));
        const text = await refused(
          "apply",
          "-f",
          file("eleven.json", definition("eleven", { containerDefinitions: containers(11) })),
        );
        assert.match(text, /spec\.containerDefinitions: Too many: 11: must have at most 10 items/);
      });
      it("2 MB", async () => {
        const big = definition("big", { containerDefinitions: [container("web", { command: ["x".repeat(2 << 20)] })] });
        // apply keeps a second copy in an annotation, and so sends 4 MB.
        const text = await refused("apply", "-f", file("big.json", JSON.stringify(big)));
        assert.match(text, /big\.json": Request entity too large: limit is 3145728/);
        assert.match(
          await refused("create", "-f", file("big.json", JSON.stringify(big))),
          /Actual length: '\d+'\. Max allowed length is '65536' bytes\./,
        );
      });
      it("fields that are accepted without effect", async () => {
        const given = definition("warned", { taskRoleArn: "arn:aws:iam::000000000000:role/x" });
        const text = await apply("warned", given);
        assert.match(text, /Warning: accepted without effect for now: .*taskRoleArn/);
      });
    });

    it("no credentials, no answer", async () => {
      const text = await refused("--token=wrong", "get", "dsvc");
      assert.match(text, /Unauthorized|must be logged in/);
    });
  });
