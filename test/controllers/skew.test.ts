import assert from "node:assert/strict";
import { versionSkew } from "../../controllers/instance/skew.js";

describe("versions of server and agent", () => {
  const fits = [
    "1.4.2 1.4.0",
    "1.4.0 1.4.9",
    "1.4.0 1.3.7",
    "1.0.0 1.0.3",
    "0.2.0 0.1.9",
    "1.4.0-rc.1 1.4.0",
    "dev 1.2.3",
  ];
  for (const pair of fits)
    it(`go together: ${pair}`, () => {
      const [server = "", agent = ""] = pair.split(" ");
      assert.equal(versionSkew(server, agent), undefined);
    });

  const refused: [string, string, RegExp][] = [
    ["1.4.2", "1.5.0", /works with agents of 1\.3 and 1\.4, and this one is 1\.5\.0: update the server first\.$/],
    ["1.4.2", "2.0.0", /update the server first/],
    ["1.4.2", "1.2.9", /and this one is 1\.2\.9: update the agent\.$/],
    ["2.0.0", "1.9.0", /works with agents of 2\.0, .* update the agent/],
    ["1.4.2", "latest", /"latest" is no version/],
    ["1.4.2", "", /is no version/],
  ];
  for (const [server, agent, text] of refused)
    it(`do not: ${server} and "${agent}"`, () => assert.match(versionSkew(server, agent) ?? "", text));
});
