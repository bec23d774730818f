import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { agentOptionsFromEnv } from "../../agent/options.js";
import { InvalidAttributes } from "../../agent/options-attributes.js";
import { parsePortRange } from "../../api/port-range.js";
import { temporaryFolder } from "../support/folder.js";

describe("a machine's tags from ECS's variables", () => {
  const folder = temporaryFolder("tags");
  const file = join(folder.path, "host-tags.json");
  after(() => folder.remove());
  const FROM = { ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM: "ec2_instance" };
  const own = (tags: unknown) => ({ ECS_CONTAINER_INSTANCE_TAGS: JSON.stringify(tags) });
  const tagsOf = (env: Record<string, string>, hostTags?: unknown) => {
    if (hostTags !== undefined) writeFileSync(file, JSON.stringify(hostTags));
    return agentOptionsFromEnv(env, file).tags;
  };

  it("none without a variable", () => assert.equal(tagsOf({}), undefined));

  it("its own", () =>
    assert.deepEqual(tagsOf(own({ k: "v", empty: "" })), [
      { key: "k", value: "v" },
      { key: "empty", value: "" },
    ]));

  it("the machine's file, without what only the platform may say", () =>
    assert.deepEqual(tagsOf(FROM, { rack: "r7", "aws:autoscaling:groupName": "g" }), [{ key: "rack", value: "r7" }]));

  it("[05-14] of a key in both, its own value wins", () =>
    assert.deepEqual(tagsOf({ ...FROM, ...own({ rack: "mine", k: "v" }) }, { rack: "host", room: "1" }), [
      { key: "rack", value: "mine" },
      { key: "k", value: "v" },
      { key: "room", value: "1" },
    ]));

  for (const [what, env, words] of [
    [
      "[05-15] a key of 129 characters",
      own({ ["k".repeat(129)]: "v" }),
      /key of tag "k+…" has 129 characters; at most 128/,
    ],
    [
      "[05-15] a value of 257 characters",
      own({ k: "v".repeat(257) }),
      /value of tag "k" has 257 characters; at most 256/,
    ],
    ["a key of the platform", own({ "aws:k": "v" }), /"aws:k":"v" is not allowed/],
    ["characters that no tag may have", own({ k: "a;b" }), /value of tag "k" may have letters/],
    ["51 tags", own(Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, "v"]))), /51 tags; at most 50/],
    ["what is no object of strings", own(["k"]), /ECS_CONTAINER_INSTANCE_TAGS: .* must be a JSON object/],
    ["another source", { ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM: "gce" }, /"gce" cannot be used; .* ec2_instance/],
  ] as const)
    it(`refuses ${what}`, () => assert.throws(() => tagsOf(env), words));

  it("128 and 256 characters are allowed", () =>
    assert.equal(tagsOf(own({ ["k".repeat(128)]: "v".repeat(256) }))?.length, 1));

  it("a file that is asked for and not there is an error that says what to write", () =>
    assert.throws(
      () => agentOptionsFromEnv(FROM, join(folder.path, "none.json")),
      /none\.json cannot be read \(ENOENT\); write/,
    ));
});

describe("a machine's attributes from ECS's variable", () => {
  const parse = (text: string) => agentOptionsFromEnv({ ECS_INSTANCE_ATTRIBUTES: text });

  for (const text of ["{rack}", '["a"]', '{"a":1}', "null"])
    it(`${text}: an error with ECS's exit code`, () =>
      assert.throws(
        () => parse(text),
        (error) => error instanceof InvalidAttributes && error.exitCode === 5 && error.message.includes(text),
      ));

  for (const [name, value, good] of [
    ["rack", "r12", true],
    ["a/b\\c.d-e_f", "A z_-.@/\\:0", true],
    ["n".repeat(128), "v".repeat(128), true],
    ["n".repeat(129), "v", false],
    ["n", "v".repeat(129), false],
    ["", "v", false],
    ["n", "", false],
    ["n", " v", false],
    ["n", "v ", false],
    ["n n", "v", false],
    ["n", "v;", false],
  ] as const)
    it(`${JSON.stringify(name).slice(0, 20)}=${JSON.stringify(value).slice(0, 20)} is ${good ? "kept" : "left out, with a word"}`, () => {
      const { attributes, problems } = parse(JSON.stringify({ [name]: value }));
      assert.equal(attributes?.length, good ? 1 : 0);
      assert.equal(problems?.length, good ? undefined : 1);
    });
});

describe("a share of the host's ports", () => {
  for (const [text, wanted] of [
    ["8000-8999", { from: 8000, to: 8999 }],
    ["80-80", { from: 80, to: 80 }],
    ["0-80", undefined],
    ["9-8", undefined],
    ["1-65536", undefined],
    ["8000", undefined],
  ] as const)
    it(`${text} → ${JSON.stringify(wanted)}`, () => assert.deepEqual(parsePortRange(text), wanted));
});
