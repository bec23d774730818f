import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { kubeconfig } from "../../apiserver/kubeconfig.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import { temporaryFolder } from "../support/folder.js";

describe("kubeconfig", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  const write = (text: string, name = "config"): string => {
    const path = join(folder.path, name);
    writeFileSync(path, text);
    return path;
  };
  beforeEach(() => {
    folder = temporaryFolder("kubeconfig");
  });
  afterEach(() => folder.remove());

  it("reads Davit's own without loading a YAML or a Kubernetes library", async () => {
    const path = write(kubeconfig({ server: "https://127.0.0.1:6443", ca: "CA TEXT", token: "secret" }));
    const module = fileURLToPath(new URL("../../client/kubeconfig.js", import.meta.url));
    // Loaders can't be asked what they loaded, but a process of its own can be traced.
    const script = `const { readKubeconfig } = await import(${JSON.stringify(module)});
      console.log(JSON.stringify(await readKubeconfig({ path: ${JSON.stringify(path)} })));`;
    const run = [process.execPath, "--input-type=module", "-e", script];
    const trace = ["-f", "-e", "trace=openat", "-o", join(folder.path, "trace")];
    const { stdout } = await promisify(execFile)("strace", [...trace, ...run]);
    assert.deepEqual(JSON.parse(stdout), {
      connection: {
        server: "https://127.0.0.1:6443",
        ca: "CA TEXT",
        insecureSkipTlsVerify: false,
        token: "secret",
      },
      namespace: "default",
    });
    const { stdout: opened } = await promisify(execFile)("grep", [
      "-c",
      "node_modules",
      join(folder.path, "trace"),
    ]).catch(() => ({ stdout: "0" }));
    assert.equal(Number(opened), 0);
  });

  it("reads YAML with files beside it, and another context than the current one", async () => {
    write("CA\n", "ca.pem");
    write("  from a file\n", "token");
    const path = write(YAML);
    const current = await readKubeconfig({ path });
    assert.deepEqual(
      [current.connection.token, current.connection.ca, current.namespace],
      ["from a file", "CA\n", "prod"],
    );
    const { connection, namespace } = await readKubeconfig({ path, context: "certificates" });
    assert.deepEqual(
      [
        connection.clientCertificate,
        connection.clientKey,
        connection.serverName,
        connection.insecureSkipTlsVerify,
        namespace,
      ],
      ["CERT", "KEY", "api.internal", true, "default"],
    );
    const basic = await readKubeconfig({ path, context: "basic" });
    assert.deepEqual([basic.connection.username, basic.connection.password], ["ann", "pass"]);
  });

  it("leaves credentials that a program hands out to client-node", async () => {
    const program = write(
      `#!/bin/sh\necho '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"handed-out"}}'\n`,
      "credentials",
    );
    chmodSync(program, 0o755);
    write("CA\n", "ca.pem");
    const path = write(YAML.replaceAll("PROGRAM", program));
    const { connection } = await readKubeconfig({ path, context: "program" });
    assert.equal(connection.token, undefined);
    const options = await connection.authenticate?.();
    assert.deepEqual([options?.headers, options?.agent], [{ Authorization: "Bearer handed-out" }, undefined]);
  });

  it("says which file is wrong, and in what", async () => {
    write("CA\n", "ca.pem");
    const path = write(YAML);
    const refused = (choice: Parameters<typeof readKubeconfig>[0], message: RegExp) =>
      assert.rejects(readKubeconfig(choice), (error) => {
        assert.ok(error instanceof Error && error.message.includes(choice.path), String(error));
        assert.match(error.message, message);
        return true;
      });
    await refused({ path: join(folder.path, "none") }, /^cannot read the kubeconfig .*ENOENT/);
    await refused({ path: write("a: [", "broken") }, /is no YAML/);
    await refused({ path: write("just text", "text") }, /is no kubeconfig/);
    await refused({ path: write("{}", "empty") }, /no current-context/);
    await refused({ path, context: "no such" }, /there is no context "no such"/);
    await refused({ path, context: "dangling" }, /there is no cluster "missing"/);
    await refused({ path, context: "no address" }, /no server address/);
    await refused({ path }, /names a file that can't be read.*token/);
  });
});

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const YAML = `
apiVersion: v1
kind: Config
current-context: files
contexts:
  - { name: files, context: { cluster: main, user: files, namespace: prod } }
  - { name: certificates, context: { cluster: other, user: certificates } }
  - { name: basic, context: { cluster: main, user: basic } }
  - { name: program, context: { cluster: main, user: program } }
  - { name: dangling, context: { cluster: missing, user: basic } }
  - { name: no address, context: { cluster: no address, user: basic } }
clusters:
  - { name: main, cluster: { server: "https://main:6443", certificate-authority: ca.pem } }
  - { name: other, cluster: { server: "https://other", tls-server-name: api.internal, insecure-skip-tls-verify: true } }
  - { name: no address, cluster: { server: "not an address" } }
users:
  - { name: files, user: { tokenFile: token } }
  - name: certificates
    user: { client-certificate-data: ${base64("CERT")}, client-key-data: ${base64("KEY")} }
  - { name: basic, user: { username: ann, password: pass } }
  - name: program
    user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: PROGRAM, interactiveMode: Never } }
`;
