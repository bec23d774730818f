// `davit up` on somebody else's nats-server: only a control-plane user and a signing key are given.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SyncAnswer } from "../../bus/messages.js";
import { up } from "../../bus/subjects.js";
import { ownVersion } from "../../cli/own-version.js";
import { readKubeconfig } from "../../client/kubeconfig.js";
import { syncRequest } from "../bus/support.js";
import { Davit } from "../support/davit.js";
import { temporaryFolder } from "../support/folder.js";
import { Machine } from "../support/joining.js";
import { type RunningNats, startNatsServer } from "../support/nats-server.js";
import { eventually } from "../support/wait.js";

describe("davit up --nats-url", function () {
  this.timeout(60_000);
  const folder = temporaryFolder("external-nats");
  const credentials = join(folder.path, "control.creds");
  const key = join(folder.path, "account.seed");
  let nats: RunningNats;
  before(async () => {
    nats = await startNatsServer({ folder: folder.path });
    writeFileSync(credentials, await nats.authority.control());
    writeFileSync(key, readFileSync(join(folder.path, "keys", "account.nk")));
  });
  after(async () => {
    await nats.stop();
    folder.remove();
  });

  it("starts none of its own, and its machines join over the other one", async () => {
    const bus = ["--nats-url", nats.url, "--nats-creds", credentials, "--nats-signing-key", key];
    const davit = await Davit.start("external", [...bus, "--runtime", "simulated", "--instances", "2"]);
    try {
      assert.equal(davit.state()?.children.nats, undefined);
      await eventually(
        "the machines",
        async () => (await davit.list("ContainerInstance")).filter(({ status }) => status?.agentConnected).length === 2,
      );
      assert.match((await davit.cli("bus", "info")).stdout, new RegExp(nats.url));
      assert.match((await davit.cli("events", "--kind", "machine")).stdout, /ContainerInstance/);
    } finally {
      await davit.purge();
    }
  });

  it("a machine joins over it; revoked, the control plane refuses it from then on", async () => {
    const bus = ["--nats-url", nats.url, "--nats-creds", credentials, "--nats-signing-key", key];
    const davit = await Davit.start("external", [...bus, "--runtime", "simulated"]);
    try {
      const { server, ca = "" } = (await readKubeconfig({ path: join(davit.folder, "kubeconfig") })).connection;
      const machine = new Machine({ server, ca }, "external");
      const [, token = ""] = /--token davit\.([^.]+\.[^.]+)/.exec((await davit.cli("token", "create")).stdout) ?? [];
      assert.equal((await machine.join(token)).code, 200);
      assert.deepEqual(machine.credential?.busUrls, [nats.url]);
      const client = await machine.connect();
      const sync = async (): Promise<SyncAnswer> => {
        const request = syncRequest(machine.instance, { agentVersion: ownVersion(), machineId: "external" });
        return (await client.request(up(machine.instance, "sync"), JSON.stringify(request), { timeout: 5_000 })).json();
      };
      assert.equal((await sync()).refused, undefined);
      assert.equal((await davit.cli("instance", "revoke", machine.instance)).code, 0);
      await eventually("its syncs are refused", async () => (await sync()).refused?.reason === "Revoked");
      await eventually("it counts as gone", async () =>
        (await davit.list("ContainerInstance")).some(
          ({ metadata, status }) => metadata.name === machine.instance && status?.agentConnected === false,
        ),
      );
      assert.equal((await machine.renew()).code, 403);
      await client.close();
    } finally {
      await davit.purge();
    }
  });

  it("a key that is no account's is refused in one sentence", async () => {
    const wrong = join(folder.path, "wrong.seed");
    writeFileSync(wrong, readFileSync(join(folder.path, "keys", "operator.nk")));
    const bus = ["--nats-url", nats.url, "--nats-creds", credentials, "--nats-signing-key", wrong];
    await assert.rejects(
      Davit.start("external", [...bus, "--runtime", "simulated"]),
      /--nats-signing-key .*wrong\.seed/,
    );
  });
});
