"""Whatever the README shows is run or parsed here: each code block, each command, each flag."""

import importlib
import re
import shlex
import subprocess
import sys

import pytest

from mcrouter import load_config
from mcrouter.cli.main import SUBCOMMANDS, make_parser, parsed_settings
from tests.embedding.served import served
from tests.support.processes import DEADLINE, ROOT
from tests.support.readme import README, blocks, quoted, sections

DEPLOY = (ROOT / "tools" / "deploy" / "README.md").read_text()
ROUTER = re.compile(r"(?:python3 -m mcrouter|(?:python3 (?:-I -S )?)?(?:dist/)?mcrouter(?:\.pyz|_standalone\.py)?)(?: (.*))?")
TOOL = re.compile(r"(?:python3 )?tools/(\w+)\.py(?: (.*))?")
ALIEN = {"--enable-proxy", "--no-install-recommends", "--kill-who", "--now"}  # other programs'
ENDS = {"explain", "graph"}  # subcommands that end by themselves, and need nothing but a config


def shell_lines():
    found = [line for block in blocks("shell") for line in block.lines()]
    found += [line[4:].partition("  #")[0].rstrip() for line in DEPLOY.splitlines() if line.startswith("    ")]
    found += [span for span in quoted() if re.match(r"(?:mcrouter|tools/\w+\.py|python3 -m mcrouter) [^…]+$", span)]
    return list(dict.fromkeys(found))


LINES = shell_lines()


def parser_of(words):
    """The parser that takes what stands behind the router's name, and what is left for it."""
    for row in SUBCOMMANDS:
        if words[:1] == [row.name]:
            return row.make_parser(), words[1:]
    return make_parser(), words


def check_router(rest):
    words = shlex.split(rest or "")
    if words in (["--version"], ["--help"]):
        return
    if len(words) == 1 and words[0] in {row.name for row in SUBCOMMANDS}:
        return  # named in a sentence
    parser, words = parser_of(words)
    parser.parse_args(["/dev/null" if word.isupper() else word for word in words])


def check_tool(name, rest):
    module = importlib.import_module(name)
    words = shlex.split(rest or "")
    if hasattr(module, "make_parser"):
        module.make_parser().parse_args(words)
    else:
        assert all((ROOT / word).exists() or word.startswith("dist/") for word in words)


def check_protocol(line):
    with served(1) as (router, _):
        answer = router.client().command(line.encode() + b"\r\n")
        assert answer.startswith(b"VALUE ") and b"\r\nERROR:" not in answer


def check_files(line):
    for word in re.findall(r"\b(?:tools|mcrouter|router)[\w./*-]*", line):
        assert list(ROOT.glob(word.rstrip("/"))) or word.startswith("mcrouter"), word


def check(line):
    """Raises where a line of the README would not do what it says."""
    inner = re.search(r"<\((.*)\)", line)
    line = inner[1] if inner else line
    router, tool = ROUTER.fullmatch(line), TOOL.fullmatch(line)
    if router:
        check_router(router[1])
    elif tool:
        check_tool(tool[1], tool[2])
    elif line.startswith("get "):
        check_protocol(line)
    elif line.split()[0] in ("tools/test", ".ci/run"):
        path = ROOT / line.split()[0]
        assert path.exists() and all(word in path.read_text() for word in line.split()[1:])
    elif line.split()[0] in ("cp", "install", "docker", "systemctl"):
        check_files(line)
    else:
        raise AssertionError("nothing here checks such a line")


def test_there_is_something_to_check():
    assert len(LINES) > 15 and len(blocks("python")) > 1 and len(blocks("config")) > 10


@pytest.mark.parametrize("line", LINES)
def test_a_command(line, capsys):
    try:
        check(line)
    except SystemExit as ended:
        raise AssertionError(capsys.readouterr().err) from ended


@pytest.mark.parametrize("line", [line for line in LINES if set(line.split()) & ENDS or "--validate-config" in line])
def test_a_command_that_ends_by_itself_is_run(line):
    match = ROUTER.fullmatch(line)
    if len(match[1].split()) < 2:
        return  # named in a sentence
    command = [sys.executable, "-W", "error", "-m", "mcrouter", *shlex.split(match[1])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout


@pytest.mark.parametrize("block", blocks("config"), ids=lambda block: block.section)
def test_a_config(block):
    flags = re.search(r"^Flags: `([^`]+)`", sections()[block.section], re.M)
    settings = parsed_settings(make_parser().parse_args(shlex.split(flags[1]) if flags else []))
    assert not load_config(block.text, "README", settings).warnings


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.section)
def test_a_program(block, tmp_path):
    (tmp_path / "program.py").write_text(block.text)
    (tmp_path / "router.json").write_text((ROOT / "router.json").read_text())
    command = [sys.executable, "-X", "dev", "-W", "error", "program.py"]
    env = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")


def known_flags():
    parsers = [make_parser(), *(row.make_parser() for row in SUBCOMMANDS)]
    for path in (ROOT / "tools").glob("*.py"):
        module = importlib.import_module(path.stem)
        if hasattr(module, "make_parser"):
            parsers.append(module.make_parser())
    return {flag for parser in parsers for flag in parser._option_string_actions} | {"--long"}


def test_every_flag_is_one():
    shown = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*\b", README + DEPLOY))
    assert len(shown) > 40
    assert shown - known_flags() <= ALIEN


@pytest.mark.parametrize("block", blocks("tree"), ids=lambda block: block.section)
def test_the_tour_of_the_house_names_what_is_there(block):
    for name in re.findall(r"\b[\w/]+(?:\.py\b|/(?=\s))", block.text):
        assert (ROOT / "mcrouter" / name).exists() or name == "mcrouter/", name


def test_the_files_and_modules_that_the_architecture_names_are_there():
    section = README.split("\n## Architecture\n")[1].split("\n## ")[0]
    files = re.findall(r"`([\w/]+\.py)`", section)
    modules = re.findall(r"`((?:engine|proto|server)(?:\.\w+)+)`", section)
    assert len(files) == 8 and len(modules) == 7
    for name in (*files, *(module.replace(".", "/") for module in modules)):
        place = ROOT / "mcrouter" / name
        assert place.exists() or place.with_suffix(".py").exists(), name


def test_links_lead_to_what_is_there():
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in sections()}
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        else:
            assert target.startswith(("https://", "http://localhost:")) or (ROOT / target).exists(), target
