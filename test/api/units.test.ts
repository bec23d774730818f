import assert from "node:assert/strict";
import { parseCpuUnits, parseMemoryMiB } from "../../api/units.js";

describe("task sizes", () => {
  for (const [text, cpuUnits] of [
    ["2 vCPU", 2048],
    ["1 vcpu", 1024],
    ["1vCPU", 1024],
    [".5 vCPU", 512],
    ["0.25 vCPU", 256],
    ["256", 256],
    [256, 256],
    ["1.5", undefined],
    [1.5, undefined],
    [-1, undefined],
    ["two", undefined],
    ["2 GB", undefined],
    ["", undefined],
  ] as const)
    it(`cpu ${JSON.stringify(text)} is ${cpuUnits ?? "no size"}`, () => assert.equal(parseCpuUnits(text), cpuUnits));

  for (const [text, memoryMiB] of [
    ["4 GB", 4096],
    ["1GB", 1024],
    ["0.5 gb", 512],
    ["512", 512],
    [512, 512],
    ["512 MB", undefined],
    ["1 vCPU", undefined],
  ] as const)
    it(`memory ${JSON.stringify(text)} is ${memoryMiB ?? "no size"}`, () =>
      assert.equal(parseMemoryMiB(text), memoryMiB));
});
