import assert from "node:assert/strict";
import { container, DEFINITIONS, definition, SERVICES, service } from "./support/objects.js";
import { startServer, type TestServer } from "./support/server.js";

describe("the API over HTTP", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer("http");
  });
  after(() => server.close());
  afterEach(() => assert.deepEqual(server.errors, []));

  const create = async (name: string, spec = {}, metadata = {}) => {
    const { code, body } = await server.call("POST", SERVICES, service(name, spec, metadata));
    assert.equal(code, 201, JSON.stringify(body));
    return body;
  };
  const MERGE = { "Content-Type": "application/merge-patch+json" };

  describe("create", () => {
    it("fills in what is the server's", async () => {
      const { metadata, spec, status } = await create("made");
      assert.match(metadata.uid, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
      assert.match(metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.equal(metadata.generation, 1);
      assert.equal(metadata.namespace, "default");
      assert.equal(metadata.resourceVersion, String(server.store.revision()));
      assert.equal(spec.desiredCount, 1);
      assert.equal(status, undefined);
    });
    it("keeps no status that a user sends", async () => {
      const { code, body } = await server.call("POST", SERVICES, { ...service("cheat"), status: { runningCount: 5 } });
      assert.deepEqual([code, body.status], [201, undefined]);
    });
    it("completes a generateName", async () => {
      const given = { ...service("x"), metadata: { generateName: "web-" } };
      const { body } = await server.call("POST", SERVICES, given);
      assert.match(body.metadata.name, /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    });
    it("refuses a second of the same name", async () => {
      await create("twice");
      const { code, body } = await server.call("POST", SERVICES, service("twice"));
      assert.deepEqual(
        [code, body.reason, body.message],
        [409, "AlreadyExists", 'services.davit.dev "twice" already exists'],
      );
    });
    it("refuses a missing namespace by its name", async () => {
      const { code, body } = await server.call("POST", SERVICES.replace("/default/", "/nowhere/"), service("x"));
      assert.deepEqual([code, body.message], [404, 'namespaces "nowhere" not found']);
    });
    it("refuses another namespace than the address's", async () => {
      const { code, body } = await server.call("POST", SERVICES, service("x", {}, { namespace: "other" }));
      assert.equal(code, 400);
      assert.match(body.message ?? "", /the namespace of the provided object does not match the namespace sent/);
    });
    it("refuses an object without a name, of another kind, of another version", async () => {
      for (const [given, message] of [
        [
          { ...service("x"), metadata: {} },
          'Service.davit.dev "" is invalid: metadata.name: Required value: name or generateName is required',
        ],
        [
          { ...service("x"), kind: "Servce" },
          "the kind in the data (Servce) does not match the expected kind (Service)",
        ],
        [
          { ...service("x"), apiVersion: "davit.dev/v9" },
          "the API version in the data (davit.dev/v9) does not match the expected API version (davit.dev/v1)",
        ],
      ] as const)
        assert.equal((await server.call("POST", SERVICES, given)).body.message, message);
    });
    it("stores nothing when run dry, and says what it would have stored", async () => {
      const before = server.store.revision();
      const { code, body } = await server.call("POST", `${SERVICES}?dryRun=All`, service("dry"));
      assert.deepEqual([code, body.metadata.name, server.store.revision()], [201, "dry", before]);
      assert.equal((await server.call("POST", `${SERVICES}?dryRun=Some`, service("dry"))).code, 400);
    });
    it("takes YAML", async () => {
      const text =
        "apiVersion: davit.dev/v1\nkind: Service\nmetadata: {name: yaml}\nspec: {taskDefinition: web, desiredCount: 2}\n";
      const { code, body } = await server.call("POST", SERVICES, text, { "Content-Type": "application/yaml" });
      assert.deepEqual([code, body.spec.desiredCount], [201, 2]);
    });
  });

  describe("what is wrong is said all at once", () => {
    it("422 with every cause", async () => {
      const { code, body } = await server.call(
        "POST",
        SERVICES,
        service("bad", { desiredCount: "x", schedulingStrategy: "SOME" }),
      );
      assert.equal(code, 422);
      assert.deepEqual(
        body.details.causes?.map(({ field, reason }) => [field, reason]),
        [
          ["spec.schedulingStrategy", "FieldValueNotSupported"],
          ["spec.desiredCount", "FieldValueTypeInvalid"],
        ].sort(),
      );
      assert.match(body.message ?? "", /^Service\.davit\.dev "bad" is invalid: \[spec\./);
      assert.match(
        body.message ?? "",
        /spec\.desiredCount: Invalid value: "x": spec\.desiredCount in body must be of type integer: "string"/,
      );
      assert.match(
        body.message ?? "",
        /spec\.schedulingStrategy: Unsupported value: "SOME": supported values: "REPLICA", "DAEMON"/,
      );
    });
    it("unknown fields: an error by default, a warning or nothing if asked", async () => {
      const given = service("unknown", { desiredcount: 1, extra: { a: 1 } });
      const strict = await server.call("POST", SERVICES, given);
      assert.equal(strict.code, 400);
      assert.equal(
        strict.body.message,
        'Service in version "v1" cannot be handled as a Service: strict decoding error: unknown field "spec.desiredcount", unknown field "spec.extra"',
      );
      const warned = await server.call("POST", `${SERVICES}?fieldValidation=Warn`, given);
      assert.equal(warned.code, 201);
      assert.match(
        String(warned.headers.warning),
        /299 - "unknown field \\"spec\.desiredcount\\"", 299 - "unknown field \\"spec\.extra\\""/,
      );
      assert.deepEqual(
        Object.keys(warned.body.spec).filter((name) => /extra|desiredcount/.test(name)),
        [],
      );
      const ignored = await server.call("PUT", `${SERVICES}/unknown?fieldValidation=Ignore`, given);
      assert.deepEqual([ignored.code, ignored.headers.warning], [200, undefined]);
      const wrong = await server.call("POST", `${SERVICES}?fieldValidation=Loose`, given);
      assert.match(wrong.body.message ?? "", /fieldValidation: Unsupported value: "Loose"/);
    });
    it("a field given twice", async () => {
      const text = JSON.stringify(service("dup")).replace('"desiredCount":1', '"desiredCount":1,"desiredCount":2');
      const { code, body } = await server.call("POST", SERVICES, text);
      assert.equal(code, 400);
      assert.match(body.message ?? "", /strict decoding error: duplicate field "spec\.desiredCount"$/);
    });
    it("text that is no JSON, or no YAML", async () => {
      for (const type of ["application/json", "application/yaml"]) {
        const { code, body } = await server.call("POST", SERVICES, "{a: [", { "Content-Type": type });
        assert.deepEqual([code, body.reason], [400, "BadRequest"]);
      }
    });
    it("an anchor bomb, without following it", async () => {
      const levels = Array.from(
        { length: 9 },
        (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(",")}]`,
      );
      const text = `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${levels.join("\n")}\n`;
      const { code, body } = await server.call("POST", SERVICES, text, { "Content-Type": "application/yaml" });
      assert.equal(code, 400);
      assert.match(body.message ?? "", /more than 500000 values once its aliases are followed/);
    });
    it("more than 3 MiB: 413, and nothing is read to the end", async () => {
      const { code, body } = await server.call("POST", SERVICES, `{"a":"${"x".repeat(3 << 20)}"}`);
      assert.deepEqual(
        [code, body.reason, body.message],
        [413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"],
      );
    });
    it("protobuf: 415 that names it", async () => {
      const type = "application/vnd.kubernetes.protobuf";
      const { code, body } = await server.call("POST", "/api/v1/namespaces", "k8s", { "Content-Type": type });
      assert.equal(code, 415);
      assert.match(body.message ?? "", /application\/vnd\.kubernetes\.protobuf is not read by this server yet/);
    });
    it("one Warning for the fields that are not acted on", async () => {
      const log = { logDriver: "awslogs", options: { "awslogs-group": "g" } };
      const given = definition("warned", {
        containerDefinitions: [container("web", { logConfiguration: log })],
        taskRoleArn: "arn:aws:iam::0:role/x",
      });
      const { code, headers } = await server.call("POST", DEFINITIONS, given);
      assert.equal(code, 201);
      assert.equal(String(headers.warning).match(/299 - /g)?.length, 1, String(headers.warning));
      assert.match(String(headers.warning), /taskRoleArn/);
    });
  });

  describe("update", () => {
    it("raises the generation with spec only", async () => {
      const made = await create("gen");
      const labelled = await server.call("PUT", `${SERVICES}/gen`, {
        ...made,
        metadata: { ...made.metadata, labels: { a: "b" } },
      });
      assert.deepEqual([labelled.code, labelled.body.metadata.generation], [200, 1]);
      assert.notEqual(labelled.body.metadata.resourceVersion, made.metadata.resourceVersion);
      const changed = await server.call("PUT", `${SERVICES}/gen`, {
        ...labelled.body,
        spec: { ...made.spec, desiredCount: 7 },
      });
      assert.deepEqual([changed.body.metadata.generation, changed.body.metadata.uid], [2, made.metadata.uid]);
    });
    it("keeps the resourceVersion when nothing changes", async () => {
      const made = await create("same");
      const { body } = await server.call("PUT", `${SERVICES}/same`, made);
      assert.equal(body.metadata.resourceVersion, made.metadata.resourceVersion);
      assert.equal(server.store.revision(), Number(made.metadata.resourceVersion));
    });
    it("refuses an old resourceVersion, and another uid", async () => {
      const made = await create("race");
      await server.call("PATCH", `${SERVICES}/race`, { spec: { desiredCount: 2 } }, MERGE);
      const late = await server.call("PUT", `${SERVICES}/race`, { ...made, spec: { ...made.spec, desiredCount: 3 } });
      assert.deepEqual([late.code, late.body.reason], [409, "Conflict"]);
      assert.equal(
        late.body.message,
        'Operation cannot be fulfilled on services.davit.dev "race": the object has been modified; please apply your changes to the latest version and try again',
      );
      const { resourceVersion: _, ...metadata } = made.metadata;
      const other = await server.call("PUT", `${SERVICES}/race`, { ...made, metadata: { ...metadata, uid: "other" } });
      assert.equal(other.code, 409);
      assert.match(other.body.message ?? "", /Precondition failed: UID in precondition: other, UID in object meta: /);
    });
    it("does not let the writer touch what is the server's", async () => {
      const made = await create("own");
      const metadata = {
        ...made.metadata,
        creationTimestamp: "2001-01-01T00:00:00Z",
        generation: 99,
        deletionTimestamp: "2001-01-01T00:00:00Z",
      };
      const { body } = await server.call("PUT", `${SERVICES}/own`, { ...made, metadata, status: { runningCount: 9 } });
      assert.deepEqual(body, made);
    });
    it("refuses another name than the address's", async () => {
      await create("here");
      const { code, body } = await server.call("PUT", `${SERVICES}/here`, service("there"));
      assert.deepEqual(
        [code, body.message],
        [400, "the name of the object (there) does not match the name on the URL (here)"],
      );
    });
    it("404 for what is not there", async () => {
      const { code, body } = await server.call("PUT", `${SERVICES}/ghost`, service("ghost"));
      assert.deepEqual(
        [code, body.message, body.details.name, body.details.kind],
        [404, 'services.davit.dev "ghost" not found', "ghost", "services"],
      );
    });
  });

  describe("status and scale", () => {
    it("status is written apart from spec", async () => {
      const made = await create("st");
      const { code, body } = await server.call("PUT", `${SERVICES}/st/status`, {
        ...made,
        spec: { ...made.spec, desiredCount: 9 },
        status: { runningCount: 1 },
      });
      assert.deepEqual(
        [code, body.spec.desiredCount, body.status, body.metadata.generation],
        [200, 1, { runningCount: 1 }, 1],
      );
      const put = await server.call("PUT", `${SERVICES}/st`, {
        ...body,
        status: { runningCount: 5 },
        spec: { ...body.spec, desiredCount: 3 },
      });
      assert.deepEqual([put.body.status, put.body.spec.desiredCount], [{ runningCount: 1 }, 3]);
      const patched = await server.call(
        "PATCH",
        `${SERVICES}/st/status`,
        { status: { pendingCount: 2 }, spec: { desiredCount: 8 } },
        MERGE,
      );
      assert.deepEqual(
        [patched.body.status, patched.body.spec.desiredCount],
        [{ runningCount: 1, pendingCount: 2 }, 3],
      );
    });
    it("status is checked too", async () => {
      const made = await create("stbad");
      const { code, body } = await server.call("PUT", `${SERVICES}/stbad/status`, {
        ...made,
        status: { runningCount: "x" },
      });
      assert.deepEqual([code, body.details.causes?.[0]?.field], [422, "status.runningCount"]);
    });
    it("scale reads, sets and patches the count", async () => {
      const made = await create("sc", { desiredCount: 2 });
      const { body: scale } = await server.call("GET", `${SERVICES}/sc/scale`);
      assert.deepEqual([scale.kind, scale.apiVersion, scale.spec], ["Scale", "autoscaling/v1", { replicas: 2 }]);
      const put = await server.call("PUT", `${SERVICES}/sc/scale`, { ...scale, spec: { replicas: 4 } });
      assert.deepEqual([put.code, put.body.spec], [200, { replicas: 4 }]);
      const late = await server.call("PUT", `${SERVICES}/sc/scale`, { ...scale, spec: { replicas: 5 } });
      assert.equal(late.code, 409);
      const patched = await server.call("PATCH", `${SERVICES}/sc/scale`, { spec: { replicas: 6 } }, MERGE);
      assert.deepEqual(patched.body.spec, { replicas: 6 });
      const { body } = await server.call("GET", `${SERVICES}/sc`);
      assert.deepEqual([body.spec.desiredCount, body.metadata.generation], [6, 3]);
      assert.equal(made.metadata.generation, 1);
      const negative = await server.call("PATCH", `${SERVICES}/sc/scale`, { spec: { replicas: -1 } }, MERGE);
      assert.equal(negative.code, 422);
    });
  });

  describe("patch", () => {
    it("merge: sets, nests, removes by null", async () => {
      await create("pm", {}, { labels: { keep: "a", drop: "b" } });
      const { code, body } = await server.call(
        "PATCH",
        `${SERVICES}/pm`,
        { metadata: { labels: { drop: null, add: "c" } }, spec: { desiredCount: 0 } },
        MERGE,
      );
      assert.deepEqual([code, body.metadata.labels, body.spec.desiredCount], [200, { keep: "a", add: "c" }, 0]);
    });
    it("JSON patch: applies in order, and says which operation failed", async () => {
      await create("pj");
      const JSON_PATCH = { "Content-Type": "application/json-patch+json" };
      const { body } = await server.call(
        "PATCH",
        `${SERVICES}/pj`,
        [
          { op: "test", path: "/spec/desiredCount", value: 1 },
          { op: "replace", path: "/spec/desiredCount", value: 2 },
          { op: "add", path: "/metadata/labels", value: { a: "b" } },
        ],
        JSON_PATCH,
      );
      assert.deepEqual([body.spec.desiredCount, body.metadata.labels], [2, { a: "b" }]);
      const failed = await server.call(
        "PATCH",
        `${SERVICES}/pj`,
        [{ op: "remove", path: "/spec/nothing" }],
        JSON_PATCH,
      );
      assert.equal(failed.code, 422);
      assert.match(failed.body.message ?? "", /operation 0 \(remove \/spec\/nothing\)/);
    });
    it("checks what comes out", async () => {
      await create("pc");
      const unknown = await server.call("PATCH", `${SERVICES}/pc`, { spec: { nope: 1 } }, MERGE);
      assert.match(unknown.body.message ?? "", /strict decoding error: unknown field "spec\.nope"/);
      const renamed = await server.call("PATCH", `${SERVICES}/pc`, { metadata: { name: "other" } }, MERGE);
      assert.equal(renamed.code, 400);
    });
    it("is compare-and-set if it names a resourceVersion", async () => {
      const made = await create("pv");
      const patch = { metadata: { resourceVersion: made.metadata.resourceVersion }, spec: { desiredCount: 2 } };
      assert.equal((await server.call("PATCH", `${SERVICES}/pv`, patch, MERGE)).code, 200);
      assert.equal(
        (await server.call("PATCH", `${SERVICES}/pv`, { ...patch, spec: { desiredCount: 3 } }, MERGE)).code,
        409,
      );
    });
    it("strategic and apply patches: 415", async () => {
      await create("ps");
      for (const type of ["application/strategic-merge-patch+json", "application/apply-patch+yaml"]) {
        const { code } = await server.call("PATCH", `${SERVICES}/ps?fieldManager=x`, "{}", { "Content-Type": type });
        assert.equal(code, 415, type);
      }
    });
    it("64 at once on one object: all are applied, none is lost", async () => {
      await create("many");
      const answers = await Promise.all(
        Array.from({ length: 64 }, (_, i) =>
          server.call("PATCH", `${SERVICES}/many`, { metadata: { annotations: { [`a${i}`]: "x" } } }, MERGE),
        ),
      );
      const applied = answers.filter(({ code }) => code === 200).length;
      assert(answers.every(({ code }) => code === 200 || code === 409));
      const { body } = await server.call("GET", `${SERVICES}/many`);
      assert.equal(Object.keys(body.metadata.annotations ?? {}).length, applied);
    });
  });

  describe("delete", () => {
    it("answers with what is gone", async () => {
      const made = await create("del");
      const { code, body } = await server.call("DELETE", `${SERVICES}/del`, {
        kind: "DeleteOptions",
        propagationPolicy: "Background",
      });
      assert.deepEqual([code, body.kind, body.status], [200, "Status", "Success"]);
      assert.deepEqual(body.details, { name: "del", group: "davit.dev", kind: "services", uid: made.metadata.uid });
      assert.equal((await server.call("GET", `${SERVICES}/del`)).code, 404);
    });
    it("waits for finalizers, and takes no new ones meanwhile", async () => {
      const made = await create("fin", {}, { finalizers: ["davit.dev/a", "davit.dev/b"] });
      const { body } = await server.call("DELETE", `${SERVICES}/fin`);
      assert.match(body.metadata.deletionTimestamp ?? "", /Z$/);
      const again = await server.call("DELETE", `${SERVICES}/fin`);
      assert.equal(again.body.metadata.resourceVersion, body.metadata.resourceVersion);
      const more = await server.call(
        "PATCH",
        `${SERVICES}/fin`,
        { metadata: { finalizers: ["davit.dev/a", "davit.dev/c"] } },
        MERGE,
      );
      assert.equal(more.code, 422);
      assert.match(
        more.body.message ?? "",
        /metadata\.finalizers: Forbidden: no new finalizers can be added if the object is being deleted/,
      );
      const one = await server.call("PATCH", `${SERVICES}/fin`, { metadata: { finalizers: ["davit.dev/b"] } }, MERGE);
      assert.equal(one.code, 200);
      await server.call("PATCH", `${SERVICES}/fin`, { metadata: { finalizers: null } }, MERGE);
      assert.equal((await server.call("GET", `${SERVICES}/fin`)).code, 404);
      assert.equal(made.metadata.deletionTimestamp, undefined);
    });
    it("honours preconditions", async () => {
      const made = await create("pre");
      const wrong = await server.call("DELETE", `${SERVICES}/pre`, { preconditions: { uid: "other" } });
      assert.equal(wrong.code, 409);
      const late = await server.call("DELETE", `${SERVICES}/pre`, { preconditions: { resourceVersion: "1" } });
      assert.match(late.body.message ?? "", /Precondition failed: ResourceVersion in precondition: 1/);
      assert.equal(
        (await server.call("DELETE", `${SERVICES}/pre`, { preconditions: { uid: made.metadata.uid } })).code,
        200,
      );
    });
    it("refuses by name a policy that it does not carry out", async () => {
      await create("pol");
      for (const policy of ["Foreground", "Orphan"]) {
        const { code, body } = await server.call("DELETE", `${SERVICES}/pol`, { propagationPolicy: policy });
        assert.equal(code, 400);
        assert.match(body.message ?? "", new RegExp(`propagationPolicy ${policy}`));
      }
      assert.equal((await server.call("GET", `${SERVICES}/pol`)).code, 200);
    });
    it("run dry leaves it", async () => {
      await create("drydel");
      assert.equal((await server.call("DELETE", `${SERVICES}/drydel?dryRun=All`)).code, 200);
      assert.equal((await server.call("GET", `${SERVICES}/drydel`)).code, 200);
    });
    it("a collection: what the selector names, and nothing else", async () => {
      for (const name of ["c1", "c2", "c3"])
        await create(name, {}, { labels: { batch: name === "c3" ? "no" : "yes" } });
      const { code, body } = await server.call("DELETE", `${SERVICES}?labelSelector=batch%3Dyes`);
      assert.deepEqual([code, body.items.map(({ metadata }) => metadata.name)], [200, ["c1", "c2"]]);
      const left = await server.call("GET", `${SERVICES}?labelSelector=batch`);
      assert.deepEqual(
        left.body.items.map(({ metadata }) => metadata.name),
        ["c3"],
      );
    });
  });

  describe("list", () => {
    it("says its kind and version, and selects by field", async () => {
      await create("l1");
      const { body } = await server.call("GET", `${SERVICES}?fieldSelector=metadata.name%3Dl1&limit=500`);
      assert.deepEqual([body.kind, body.apiVersion, body.items.length], ["ServiceList", "davit.dev/v1", 1]);
      assert.equal(body.metadata.resourceVersion, String(server.store.revision()));
      const all = await server.call("GET", "/apis/davit.dev/v1/services?fieldSelector=metadata.namespace!%3Ddefault");
      assert.deepEqual(all.body.items, []);
    });
    it("refuses by name what it cannot honour", async () => {
      for (const [query, text] of [
        ["continue=abc", /^continue: /],
        ["resourceVersionMatch=Exact&resourceVersion=1", /^resourceVersionMatch: Exact/],
        ["fieldSelector=spec.x%3D1", /^field label not supported: spec\.x/],
        ["labelSelector=a%20b", /unable to parse requirement/],
        ["watch=true&sendInitialEvents=true", /sendInitialEvents: Forbidden/],
        ["resourceVersion=x", /^resourceVersion: Invalid value/],
      ] as const) {
        const { code, body } = await server.call("GET", `${SERVICES}?${query}`);
        assert(code === 400 || code === 422, `${query}: ${code}`);
        assert.match(body.message ?? "", text);
      }
    });
    it("does not pretend to know a later version", async () => {
      const { code, body } = await server.call("GET", `${SERVICES}?resourceVersion=999999999`);
      assert.deepEqual([code, body.reason], [504, "Timeout"]);
    });
    it("gives tables to those who ask", async () => {
      await create("tab", { desiredCount: 3 });
      const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
      const { body } = await server.call("GET", `${SERVICES}?fieldSelector=metadata.name%3Dtab`, undefined, {
        Accept: accept,
      });
      assert.equal(body.kind, "Table");
      const columns = body.columnDefinitions as { name: string }[];
      const [row] = body.rows as { cells: unknown[]; object: { kind: string } }[];
      assert.equal(columns[0]?.name, "Name");
      assert.deepEqual(
        [row?.cells[0], row?.cells.length, row?.object.kind],
        ["tab", columns.length, "PartialObjectMetadata"],
      );
      assert.match(String(row?.cells.at(-1)), /^\d+s$/);
      const whole = await server.call("GET", `${SERVICES}/tab?includeObject=Object`, undefined, { Accept: accept });
      assert.equal((whole.body.rows as { object: { kind: string } }[])[0]?.object.kind, "Service");
      const partial = await server.call("GET", `${SERVICES}/tab`, undefined, {
        Accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
      });
      assert.deepEqual([partial.body.kind, partial.body.spec], ["PartialObjectMetadata", undefined]);
      const neither = await server.call("GET", SERVICES, undefined, { Accept: "text/html" });
      assert.equal(neither.code, 406);
    });
  });

  describe("who may do what", () => {
    const as = (token: string) => ({ Authorization: token === "" ? "" : `Bearer ${token}` });
    it("nobody without a token, and nobody with a wrong one", async () => {
      for (const token of ["", "wrong"]) {
        const { code, body, headers } = await server.call("GET", SERVICES, undefined, as(token));
        assert.deepEqual([code, body.message, body.reason], [401, "Unauthorized", "Unauthorized"]);
        assert.match(String(headers["www-authenticate"]), /^Bearer/);
      }
    });
    it("a viewer reads, and no more", async () => {
      assert.equal((await server.call("GET", SERVICES, undefined, as("viewer-token"))).code, 200);
      const { code, body } = await server.call("DELETE", `${SERVICES}/x`, undefined, as("viewer-token"));
      assert.equal(code, 403);
      assert.equal(
        body.message,
        'services.davit.dev "x" is forbidden: User "vera" cannot delete resource "services" in API group "davit.dev" in the namespace "default"',
      );
      const scale = await server.call("PATCH", `${SERVICES}/x/scale`, {}, { ...MERGE, ...as("viewer-token") });
      assert.match(scale.body.message ?? "", /cannot patch resource "services\/scale"/);
    });
    it("somebody without a group may do nothing", async () => {
      const { code, body } = await server.call("GET", "/api/v1/namespaces", undefined, as("nobody-token"));
      assert.equal(code, 403);
      assert.match(
        body.message ?? "",
        /User "nora" cannot list resource "namespaces" in API group "" at the cluster scope$/,
      );
    });
    it("everybody may ask for health and version", async () => {
      for (const path of ["/livez", "/readyz", "/healthz", "/version"])
        assert.equal((await server.call("GET", path, undefined, as(""))).code, 200);
    });
  });

  describe("addresses", () => {
    it("404 as Kubernetes says it", async () => {
      for (const path of [
        "/apis/davit.dev/v1/namespaces/default/gadgets",
        "/apis/davit.dev/v2/namespaces/default/services",
        "/apis/other.dev/v1/things",
        "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dweb",
        `${SERVICES}/x/nothing`,
        "/apis/davit.dev/v1/services/web",
      ]) {
        const { code, body } = await server.call("GET", path);
        assert.deepEqual([code, body.message], [404, "the server could not find the requested resource"], path);
      }
      assert.equal((await server.call("GET", "/nowhere")).code, 404);
    });
    it("405 for a method that an address does not take", async () => {
      for (const [method, path] of [
        ["PUT", SERVICES],
        ["POST", `${SERVICES}/web`],
        ["DELETE", `${SERVICES}/web/status`],
        ["POST", "/apis/davit.dev/v1/services"],
      ] as const)
        assert.equal((await server.call(method, path, {})).code, 405, `${method} ${path}`);
    });
    it("400 for a broken escape", async () => {
      assert.equal((await server.call("GET", `${SERVICES}/%zz`)).code, 400);
    });
  });
});
