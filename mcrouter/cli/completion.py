"""`mcrouter completion bash|zsh|fish`: a completion script, derived from the parsers of the router and its subcommands.

    source <(mcrouter completion bash)
"""

import argparse
from typing import Callable, Dict, List, NamedTuple, Sequence, Tuple

from ..settings import BY_NAME, OneOf
from .arguments import Parser, value_of
from .main import SUBCOMMANDS
from .main import make_parser as router_parser

_FILES, _FOLDERS = ("FILE",), ("DIR",)
_COMMANDS = ("mcrouter", "mcrouter.pyz", "mcrouter_standalone.py")


class CompletionFlag(NamedTuple):
    """A flag with all its names. `values`: the words that it takes; `takes`: the other kind of value that it takes
    (file, folder, value), or empty."""

    names: Tuple[str, ...]
    help: str
    values: Tuple[str, ...]
    takes: str


def flags(parser: argparse.ArgumentParser) -> List[CompletionFlag]:
    """Returns all flags of a parser; a positional argument is a flag without names."""
    return [
        CompletionFlag(tuple(action.option_strings), _help(action), _values(action), _takes(action))
        for action in parser._actions
    ]


def _values(action: argparse.Action) -> Tuple[str, ...]:
    setting = BY_NAME.get(action.dest)
    known: Tuple[str, ...] = getattr(setting.read, "choices", ()) if setting is not None else ()
    return tuple(map(str, action.choices or known))


def _help(action: argparse.Action) -> str:
    return (action.help or "").replace("%%", "%").partition(" (default ")[0]


def _takes(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    return "file" if metavar in _FILES else "folder" if metavar in _FOLDERS else "value"


def commands() -> Dict[str, List[CompletionFlag]]:
    """Returns the flags of each subcommand by its name; those of the router itself under an empty name."""
    return {"": flags(router_parser()), **{row.name: flags(row.make_parser()) for row in SUBCOMMANDS}}


def _names(known: Sequence[CompletionFlag]) -> List[str]:
    return [name for flag in known for name in flag.names]


def _words(flag: CompletionFlag) -> str:
    return " ".join(flag.values)


# bash -----------------------------------------------------------------------------------------------------------------


def bash() -> str:
    """Returns the script for bash 4 and newer."""
    tables = commands()
    known = {_bash_case(name): " ".join(_names(its)) for name, its in tables.items()}
    rows = [f"        {name}) flags={_quoted(names)} ;;" for name, names in known.items()]
    values = [
        f"        {'|'.join(f'{_bash_case(name)}:{one}' for one in flag.names or ('',))}) {_bash_values(flag)} ;;"
        for name, its in tables.items()
        for flag in its
        if flag.takes or flag.values
    ]
    return "\n".join(
        [
            "# bash completion of mcrouter; use: source <(mcrouter completion bash)",
            "_mcrouter() {",
            '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" sub="" flags=""',
            "    COMPREPLY=()",
            '    case "${COMP_WORDS[1]}" in',
            f"        {'|'.join(row.name for row in SUBCOMMANDS)}) [ $COMP_CWORD -gt 1 ] && sub=${{COMP_WORDS[1]}} ;;",
            "    esac",
            '    case "${sub:--}" in',
            *rows,
            "    esac",
            '    [[ $before == -* ]] || before=""',
            '    [[ $word == -* ]] && before="-"',
            '    case "${sub:--}:$before" in',
            *values,
            '        *) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;',
            "    esac",
            "    if [ $COMP_CWORD -eq 1 ]; then",
            f'        COMPREPLY+=($(compgen -W "{" ".join(row.name for row in SUBCOMMANDS)}" -- "$word"))',
            "    fi",
            "}",
            f"complete -o filenames -o bashdefault -F _mcrouter {' '.join(_COMMANDS)}",
            "",
        ]
    )


def _bash_case(name: str) -> str:
    return name or "-"


def _bash_values(flag: CompletionFlag) -> str:
    if flag.values:
        return f'COMPREPLY=($(compgen -W "{_words(flag)}" -- "$word"))'
    if flag.takes == "file":
        return 'COMPREPLY=($(compgen -f -- "$word"))'
    return 'COMPREPLY=($(compgen -d -- "$word"))' if flag.takes == "folder" else ":"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# zsh ------------------------------------------------------------------------------------------------------------------


def zsh() -> str:
    """Returns the script for zsh's compsys."""
    tables = commands()
    rows = [f"            {_quoted(f'{row.name}:{row.help}')}" for row in SUBCOMMANDS]
    cases = [
        line
        for name, known in tables.items()
        if name
        for line in (f"        {name})", *_zsh_arguments(known, "            "), "            return ;;")
    ]
    return "\n".join(
        [
            f"#compdef {' '.join(_COMMANDS)}",
            "# zsh completion of mcrouter; use: source <(mcrouter completion zsh)",
            "_mcrouter() {",
            "    local -a subcommands",
            "    if (( CURRENT > 2 )); then",
            '        case "$words[2]" in',
            *cases,
            "        esac",
            "    fi",
            "    if (( CURRENT == 2 )); then",
            "        subcommands=(",
            *rows,
            "        )",
            "        _describe -t commands subcommand subcommands",
            "    fi",
            *_zsh_arguments(tables[""], "    "),
            "}",
            f"(( $+functions[compdef] )) && compdef _mcrouter {' '.join(_COMMANDS)}",
            "",
        ]
    )


def _zsh_arguments(known: Sequence[CompletionFlag], start: str) -> List[str]:
    specs = [_quoted(spec) for flag in known for spec in _zsh_specs(flag)]
    return [f"{start}_arguments -S \\", *(f"{start}    {spec} \\" for spec in specs[:-1]), f"{start}    {specs[-1]}"]


def _zsh_specs(flag: CompletionFlag) -> List[str]:
    action = {"file": ":file:_files", "folder": ":folder:_files -/", "value": ":value: ", "": ""}[flag.takes]
    if flag.values:
        action = f":value:({_words(flag)})"
    told = flag.help.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    return [f"*{name}[{told}]{action}" for name in flag.names] or [f"*{action}"]


# fish -----------------------------------------------------------------------------------------------------------------


def fish() -> str:
    """Returns the script for fish 3 and newer."""
    subs = " ".join(row.name for row in SUBCOMMANDS)
    lines = ["# fish completion of mcrouter; use: mcrouter completion fish | source"]
    for command in _COMMANDS:
        lines += [
            f"complete -c {command} -f",
            *(
                f"complete -c {command} -n __fish_use_subcommand -a {row.name} -d {_fish_quoted(row.help)}"
                for row in SUBCOMMANDS
            ),
        ]
        for name, known in commands().items():
            when = f"__fish_seen_subcommand_from {name}" if name else f"not __fish_seen_subcommand_from {subs}"
            lines += [f"complete -c {command} -n {_fish_quoted(when)}{_fish_flag(flag)}" for flag in known]
    return "\n".join([*lines, ""])


def _fish_flag(flag: CompletionFlag) -> str:
    words = [f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in flag.names]
    if flag.help:
        words.append(f" -d {_fish_quoted(flag.help)}")
    if flag.takes and flag.names:
        words.append(" -r" if flag.takes == "file" else " -x")
    if flag.values:
        words.append(f" -a {_fish_quoted(_words(flag))}")
    elif flag.takes == "file":
        words.append(" -F")
    elif flag.takes == "folder":
        words.append(" -a '(__fish_complete_directories)'")
    return "".join(words)


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SHELLS: Dict[str, Callable[[], str]] = {"bash": bash, "zsh": zsh, "fish": fish}


def make_parser() -> Parser:
    """Returns the parser of the command's flags."""
    parser = Parser(prog="mcrouter completion", description="Prints a completion script.")
    parser.add_argument("shell", choices=sorted(SHELLS),
                        type=value_of("SHELL", OneOf(*sorted(SHELLS))), help="the shell to print the script for")
    return parser


def main(args: argparse.Namespace) -> int:
    """Prints the script of a shell; returns the exit code."""
    print(SHELLS[args.shell](), end="")
    return 0
