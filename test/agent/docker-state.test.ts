import assert from "node:assert/strict";
import type { ContainerAnswer } from "../../agent/runtimes/docker/api.js";
import { containerConfig } from "../../agent/runtimes/docker/container-config.js";
import { containerOf } from "../../agent/runtimes/docker/container-state.js";
import { splitReference } from "../../agent/runtimes/docker/reference.js";
import { framedLines, terminalLines } from "../../agent/runtimes/docker/streams.js";
import { container } from "./support/builders.js";

const answer = (
  change: Partial<ContainerAnswer["State"]>,
  ports: ContainerAnswer["NetworkSettings"]["Ports"] = {},
): ContainerAnswer => ({
  Id: "a".repeat(64),
  Name: "/ecs-shop-1-web-1",
  Image: "sha256:1",
  Config: { Image: "web:1", Labels: { "davit.dev/task": "t", "davit.dev/container": "web" }, Tty: false },
  State: {
    Status: "running",
    ExitCode: 0,
    OOMKilled: false,
    Error: "",
    StartedAt: "2026-01-02T03:04:05.678901234Z",
    FinishedAt: "0001-01-01T00:00:00Z",
    ...change,
  },
  NetworkSettings: { Ports: ports },
});

describe("what the Engine says of a container", () => {
  for (const [status, wanted] of [
    ["created", "CREATED"],
    ["running", "RUNNING"],
    ["paused", "RUNNING"],
    ["restarting", "RUNNING"],
    ["exited", "STOPPED"],
    ["removing", "STOPPED"],
    ["dead", "STOPPED"],
  ] as const)
    it(`${status} → ${wanted}`, () =>
      assert.equal(containerOf(answer({ Status: status }), undefined).lastStatus, wanted));

  it("times, and an exit code only when it is over", () => {
    const running = containerOf(answer({}), "sha256:2");
    assert.equal(running.startedAtMs, Date.UTC(2026, 0, 2, 3, 4, 5, 678));
    assert.deepEqual([running.finishedAtMs, running.exitCode, running.imageDigest], [undefined, undefined, "sha256:2"]);
    const over = containerOf(answer({ Status: "exited", ExitCode: 9, FinishedAt: "2026-01-02T03:04:06Z" }), undefined);
    assert.deepEqual([over.exitCode, over.finishedAtMs], [9, Date.UTC(2026, 0, 2, 3, 4, 6)]);
  });

  for (const [status, wanted] of [
    ["starting", "UNKNOWN"],
    ["healthy", "HEALTHY"],
    ["unhealthy", "UNHEALTHY"],
  ] as const)
    it(`health ${status} → ${wanted}`, () =>
      assert.equal(containerOf(answer({ Health: { Status: status } }), undefined).health, wanted));

  it("a port published on both families counts once, with its IPv4 number", () => {
    const ports = {
      "80/tcp": [
        { HostIp: "::", HostPort: "32769" },
        { HostIp: "0.0.0.0", HostPort: "32768" },
      ],
      "53/udp": [{ HostIp: "::", HostPort: "1053" }],
      "443/tcp": null,
    };
    assert.deepEqual(containerOf(answer({}, ports), undefined).networkBindings, [
      { bindIP: "0.0.0.0", containerPort: 80, protocol: "tcp", hostPort: 32768 },
      { bindIP: "::", containerPort: 53, protocol: "udp", hostPort: 1053 },
    ]);
  });
});

describe("what the Engine is asked to create", () => {
  const spec = { task: "t", labels: {}, runtimeName: "n", networkMode: "bridge" as const };

  it("several host ports of one container port", () => {
    const portMappings = [
      { containerPort: 80, hostPort: 8080 },
      { containerPort: 80 },
      { containerPort: 53, protocol: "udp" as const },
    ];
    const { ExposedPorts, HostConfig } = containerConfig({ ...spec, definition: container({ portMappings }) });
    assert.deepEqual(Object.keys(ExposedPorts ?? {}), ["80/tcp", "53/udp"]);
    assert.deepEqual(HostConfig.PortBindings, {
      "80/tcp": [{ HostPort: "8080" }, { HostPort: "0" }],
      "53/udp": [{ HostPort: "0" }],
    });
  });

  it("nothing for what the definition leaves out", () => {
    const config = containerConfig({ ...spec, definition: { name: "web", image: "web:1" } });
    assert.deepEqual(config, {
      Image: "web:1",
      Labels: {},
      Healthcheck: { Test: ["NONE"] },
      HostConfig: { NetworkMode: "bridge", CpuShares: 2, RestartPolicy: { Name: "no" } },
    });
  });

  it("a network mode that is not there yet is refused, never replaced by another", () => {
    assert.throws(() => containerConfig({ ...spec, networkMode: "awsvpc", definition: container() }), {
      name: "ResourceInitializationError",
    });
  });

  for (const [image, name, tag] of [
    ["web", "web", "latest"],
    ["web:2", "web", "2"],
    ["host:5000/shop/web", "host:5000/shop/web", "latest"],
    ["host:5000/web:2", "host:5000/web", "2"],
    ["web@sha256:ab", "web", "sha256:ab"],
  ] as const)
    it(`image ${image} is pulled as ${name} and ${tag}`, () => assert.deepEqual(splitReference(image), { name, tag }));
});

describe("the Engine's log streams", () => {
  const frame = (stream: 1 | 2, text: string): Buffer => {
    const payload = Buffer.from(text);
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(payload.length, 4);
    return Buffer.concat([header, payload]);
  };
  async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const collect = async <T>(lines: AsyncIterable<T>): Promise<T[]> => {
    const all: T[] = [];
    for await (const line of lines) all.push(line);
    return all;
  };
  const at = "2026-01-02T03:04:05.000000000Z";
  const atMs = Date.UTC(2026, 0, 2, 3, 4, 5);

  it("frames, however they are cut", async () => {
    const bytes = Buffer.concat([
      frame(1, `${at} héllo wörld\n${at} se`),
      frame(2, `${at} bad\n`),
      frame(1, `cond\n${at} no newline`),
    ]);
    for (const size of [1, 3, 7, 1000])
      assert.deepEqual(await collect(framedLines(cut(bytes, size))), [
        { stream: "stdout", atMs, text: "héllo wörld" },
        { stream: "stderr", atMs, text: "bad" },
        { stream: "stdout", atMs, text: "second" },
        { stream: "stdout", atMs, text: "no newline" },
      ]);
  });

  it("a terminal's raw bytes", async () => {
    assert.deepEqual(await collect(terminalLines(cut(Buffer.from(`${at} a\r\n${at} b`), 2))), [
      { stream: "stdout", atMs, text: "a" },
      { stream: "stdout", atMs, text: "b" },
    ]);
  });
});
