import assert from "node:assert/strict";
import { startServer, type TestServer } from "./support/server.js";

describe("discovery and OpenAPI", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer("discovery");
  });
  after(() => server.close());
  const get = async (path: string, headers: Record<string, string> = {}) =>
    server.call("GET", path, undefined, headers);

  it("lists groups, versions and kinds one by one", async () => {
    assert.deepEqual((await get("/api")).body.versions, ["v1"]);
    const groups = (await get("/apis")).body.groups as { name: string; preferredVersion: { groupVersion: string } }[];
    assert.deepEqual(
      groups.map(({ name, preferredVersion }) => [name, preferredVersion.groupVersion]),
      [["davit.dev", "davit.dev/v1"]],
    );
    assert.equal((await get("/apis/davit.dev")).body.kind, "APIGroup");
    const { body } = await get("/apis/davit.dev/v1");
    const resources = body.resources as {
      name: string;
      kind: string;
      group?: string;
      verbs: string[];
      shortNames?: string[];
    }[];
    const find = (name: string) => resources.find((each) => each.name === name);
    assert.deepEqual(find("services")?.shortNames, ["dsvc"]);
    assert.deepEqual([find("services/scale")?.kind, find("services/scale")?.group], ["Scale", "autoscaling"]);
    assert.deepEqual(find("services/status")?.verbs, ["get", "patch", "update"]);
  });

  it("or all at once, in both versions of aggregated discovery", async () => {
    for (const version of ["v2", "v2beta1"]) {
      const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
      const { body, headers } = await get("/apis", { Accept: `${type},application/json` });
      assert.equal(headers["content-type"], type);
      assert.equal(body.apiVersion, `apidiscovery.k8s.io/${version}`);
      const [group] = body.items as unknown as {
        versions: { resources: { resource: string; scope: string; subresources: { subresource: string }[] }[] }[];
      }[];
      const services = group?.versions[0]?.resources.find(({ resource }) => resource === "services");
      assert.deepEqual(
        [services?.scope, services?.subresources.map(({ subresource }) => subresource)],
        ["Namespaced", ["status", "scale"]],
      );
      const core = await get("/api", { Accept: type });
      assert.match(core.text, /"resource":"namespaces"/);
    }
  });

  it("OpenAPI v3: an index with hashes, and documents that are not sent twice", async () => {
    const paths = (await get("/openapi/v3")).body.paths as Record<string, { serverRelativeURL: string }>;
    assert.deepEqual(Object.keys(paths), ["api/v1", "apis/davit.dev/v1"]);
    const address = paths["apis/davit.dev/v1"]?.serverRelativeURL ?? "";
    const document = await get(address);
    const hash = new URL(address, "https://x").searchParams.get("hash");
    assert.equal(document.headers.etag, `"${hash}"`);
    const again = await get(address, { "If-None-Match": `"${hash}"` });
    assert.deepEqual([again.code, again.text], [304, ""]);
    assert.equal((await get("/openapi/v3/apis/other/v1")).code, 404);
  });

  it("every reference in the v3 documents leads somewhere", async () => {
    for (const path of ["api/v1", "apis/davit.dev/v1"]) {
      const { body, text } = await get(`/openapi/v3/${path}`);
      const { schemas } = body.components as { schemas: Record<string, unknown> };
      for (const [, name = ""] of text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g))
        assert(schemas[name], name);
    }
  });

  it("OpenAPI v2: protobuf, or nothing", async () => {
    const { code, headers } = await get("/openapi/v2", {
      Accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    });
    assert.deepEqual(
      [code, headers["content-type"]],
      [200, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"],
    );
    assert.equal((await get("/openapi/v2", { Accept: "application/json" })).code, 406);
  });
});
