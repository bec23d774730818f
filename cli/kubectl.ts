import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Command } from "commander";
import { connectionOf, kubeconfigPath } from "./api/connect.js";
import { codeOf, Failure } from "./failure.js";

export function define(command: Command): void {
  command
    .argument("[args...]", "passed to kubectl as they are")
    .allowUnknownOption()
    .passThroughOptions()
    .helpOption(false)
    .addHelpText("after", "\nExamples:\n  $ davit kubectl get services -w\n  $ davit kubectl explain task.spec")
    .action(async (args: string[]) => {
      await connectionOf({});
      process.exitCode = await runKubectl(args, kubeconfigPath({}));
    });
}

/** kubectl with its own terminal; answers its exit code. */
function runKubectl(args: string[], kubeconfig: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("kubectl", args, { stdio: "inherit", env: { ...process.env, KUBECONFIG: kubeconfig } });
    // Ctrl-C reaches kubectl through the terminal; this process only waits for it.
    process.on("SIGINT", () => undefined);
    child.once("error", (error) =>
      reject(
        codeOf(error) === "ENOENT"
          ? new Failure(
              "kubectl is not on PATH: install it (Debian: `apt-get install kubernetes-client`), or use davit's own commands.",
            )
          : error,
      ),
    );
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
