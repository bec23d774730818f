// Mocha's spec reporter, which also writes every test's title and result to the file that DAVIT_RESULTS names.
import { writeFileSync } from "node:fs";
import Mocha from "mocha";

export interface Results {
  tests: { title: string; file: string; state: "passed" | "failed" | "pending"; ms: number }[];
}

export default class ResultsReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const tests: Results["tests"] = [];
    const add = (state: Results["tests"][number]["state"]) => (test: Mocha.Runnable) =>
      tests.push({ title: test.fullTitle(), file: test.file ?? "", state, ms: test.duration ?? 0 });
    runner.on("pass", add("passed"));
    // A failed hook counts too: the tests it kept from running would otherwise be missing without a word.
    runner.on("fail", add("failed"));
    runner.on("pending", add("pending"));
    runner.on("end", () => {
      const file = process.env.DAVIT_RESULTS;
      if (file) writeFileSync(file, JSON.stringify({ tests }));
    });
  }
}
