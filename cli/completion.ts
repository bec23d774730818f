import type { Command, Option } from "commander";
import { RESOURCES } from "./api/resources.js";
import { UsageError } from "./failure.js";
import { print } from "./output/terminal.js";

export function define(command: Command): void {
  command
    .argument("<shell>", "bash or zsh")
    .addHelpText(
      "after",
      "\nExamples:\n  $ source <(davit completion bash)\n  $ davit completion zsh > ~/.zfunc/_davit",
    )
    .action(async (shell: string) => {
      const { buildProgram } = await import("./program.js");
      const words = wordsOf(await buildProgram("*"));
      if (shell === "bash") print(bash(words));
      else if (shell === "zsh") print(zsh(words));
      else throw new UsageError(`there is completion for bash and zsh, not for ${JSON.stringify(shell)}.`);
    });
}

/** What may follow each command: its options and subcommands. */
export function wordsOf(program: Command): Map<string, string[]> {
  const words = new Map<string, string[]>();
  for (const command of program.commands) {
    if (command.name().startsWith("_")) continue;
    const options = command.options
      .filter((option: Option) => !option.hidden)
      .flatMap(({ long }) => (long ? [long] : []));
    words.set(command.name(), [...command.commands.map((sub) => sub.name()), ...options, "--help"]);
  }
  for (const internal of ["server", "agent"]) words.delete(internal);
  return words;
}

const KIND_COMMANDS = "get|describe|delete|skeleton";
const kinds = RESOURCES.map(({ plural }) => plural).join(" ");

const bash = (words: Map<string, string[]>): string => `# davit completion for bash
_davit() {
  local current=\${COMP_WORDS[COMP_CWORD]} words
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${[...words.keys()].join(" ")}"
  else
    case "\${COMP_WORDS[1]}" in
${cases(words)}
    esac
    if [ "$COMP_CWORD" -eq 2 ]; then
      case "\${COMP_WORDS[1]}" in ${KIND_COMMANDS}) words="$words ${kinds}" ;; esac
    elif [ "$COMP_CWORD" -eq 3 ]; then
      case "\${COMP_WORDS[1]}" in
        get|describe|delete) words="$words $(davit get "\${COMP_WORDS[2]}" -o name 2>/dev/null | sed 's|.*/||')" ;;
      esac
    fi
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _davit davit`;

const zsh = (words: Map<string, string[]>): string => `#compdef davit
_davit() {
  local -a list
  if (( CURRENT == 2 )); then
    list=(${[...words.keys()].join(" ")})
  else
    local words_for
    case "\${words[2]}" in
${cases(words, "words_for")}
    esac
    list=(\${=words_for})
    if (( CURRENT == 3 )); then
      case "\${words[2]}" in ${KIND_COMMANDS}) list+=(${kinds}) ;; esac
    fi
  fi
  compadd -a list
}
compdef _davit davit`;

const cases = (words: Map<string, string[]>, variable = "words"): string =>
  [...words].map(([name, next]) => `      ${name}) ${variable}="${next.join(" ")}" ;;`).join("\n");
