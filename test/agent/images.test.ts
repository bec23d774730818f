import assert from "node:assert/strict";
import { createImages, type Images, type PullBehavior } from "../../agent/engine/images.js";
import { RuntimeError } from "../../agent/runtimes/runtime.js";
import { quiet } from "./support/builders.js";

/** A registry and a cache: `answers` are the outcomes of successive pulls, the last one for good. */
function images(pullBehavior: PullBehavior, setup: { cached?: boolean; answers?: (string | undefined)[] } = {}) {
  const cache = new Set(setup.cached ? ["web:1"] : []);
  const answers = [...(setup.answers ?? [undefined])];
  const state = { pulls: 0, aborted: 0, hold: undefined as Promise<void> | undefined };
  const made: Images = createImages({
    runtime: {
      hasImage: async (image) => cache.has(image),
      async pull(image, signal) {
        state.pulls += 1;
        const answer = answers.length > 1 ? answers.shift() : answers[0];
        signal.addEventListener("abort", () => {
          state.aborted += 1;
        });
        await state.hold;
        if (answer !== undefined) throw new RuntimeError("CannotPullContainerError", answer);
        cache.add(image);
      },
    },
    options: { pullBehavior, pullAttempts: 4, pullBackoffMs: 1 },
    random: () => 0.5,
    log: quiet,
  });
  const begin = () => made.ensure("web:1");
  return { state, cache, begin, ensure: () => begin().done };
}
const refused = { name: "CannotPullContainerError" };
const GONE = "API error (500): Get https://registry.lab/v2/: dial tcp: connection refused";
const UNKNOWN = "manifest for web:1 not found: manifest unknown: manifest unknown";

describe("image pull behaviour", () => {
  it("default: always pulls, and falls back on the cached image", async () => {
    const reachable = images("default", { cached: true });
    await reachable.ensure();
    await reachable.ensure();
    assert.equal(reachable.state.pulls, 2);
    const away = images("default", { cached: true, answers: [GONE] });
    await away.ensure();
    assert.equal(away.state.pulls, 1, "the cached image serves at once");
    await assert.rejects(images("default", { answers: [UNKNOWN] }).ensure(), refused);
  });

  it("always: never falls back", async () => {
    await assert.rejects(images("always", { cached: true, answers: [GONE] }).ensure(), refused);
    await assert.rejects(images("always", { cached: true, answers: [UNKNOWN] }).ensure(), refused);
  });

  it("once: only what no earlier task pulled, or what is gone since", async () => {
    const { ensure, state, cache } = images("once", { cached: true });
    await ensure();
    assert.equal(state.pulls, 1, "preloaded is not pulled");
    await ensure();
    assert.equal(state.pulls, 1);
    cache.clear();
    await ensure();
    assert.equal(state.pulls, 2);
  });

  it("prefer-cached: only what is not there", async () => {
    const cached = images("prefer-cached", { cached: true });
    await cached.ensure();
    assert.equal(cached.state.pulls, 0);
    const empty = images("prefer-cached");
    await empty.ensure();
    assert.equal(empty.state.pulls, 1);
  });

  it("tries again while the registry is busy or away, and not when it has said no", async () => {
    for (const passing of [
      "toomanyrequests: slow down",
      "received unexpected HTTP status: 503 Service Unavailable",
      "received unexpected HTTP status: 502 Bad Gateway",
      GONE,
      "API error (500): Get https://r/v2/: net/http: request canceled while waiting for connection",
      "API error (500): Get https://r/v2/: dial tcp: lookup r on 127.0.0.53:53: server misbehaving",
      "API error (500): Get https://r/v2/: net/http: TLS handshake timeout",
    ]) {
      const { ensure, state } = images("always", { answers: [passing, passing, undefined] });
      await ensure();
      assert.equal(state.pulls, 3, passing);
    }
    for (const final of [
      UNKNOWN,
      "API error (404): pull access denied for web, repository does not exist or may require 'docker login'",
      "API error (500): unauthorized: authentication required",
      "write /var/lib/docker/tmp/GetImageBlob111111111: no space left on device",
    ]) {
      const { ensure, state } = images("always", { answers: [final, undefined] });
      await assert.rejects(ensure(), refused);
      assert.equal(state.pulls, 1, final);
    }
    const always = images("always", { answers: [GONE] });
    await assert.rejects(always.ensure(), refused);
    assert.equal(always.state.pulls, 4);
  });

  it("several containers share one pull; it is given up with the last of them", async () => {
    const { begin, ensure, state } = images("default");
    state.hold = new Promise(() => {});
    const [one, two] = [begin(), begin()];
    assert.equal(state.pulls, 1);
    one.abandon();
    await assert.rejects(one.done);
    assert.equal(state.aborted, 0);
    two.abandon();
    await assert.rejects(two.done);
    assert.equal(state.aborted, 1);
    // Nobody joins a pull that was given up.
    state.hold = undefined;
    await ensure();
    assert.equal(state.pulls, 2);
  });
});
