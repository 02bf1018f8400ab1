"""What the README shows, cut out of it: its code blocks, and what stands in backquotes."""

import re
import textwrap
from typing import Dict, List, NamedTuple

from tests.support.processes import ROOT

README = (ROOT / "README.md").read_text()

_BLOCK = re.compile(r"^\n((?: {4}.*\n|\n(?= {4}))+)", re.M)
_PYTHON = ("from ", "import ", "with ", "def ", "@")
_CONFIG = re.compile(r"(?:pools|orderedPool|route|routes|named_handles|macros|consts):|\{")


class Block(NamedTuple):
    """An indented block: the heading it stands under, and its text."""

    section: str
    text: str

    @property
    def kind(self) -> str:
        """python, config, tree or shell."""
        if self.text.startswith(_PYTHON):
            return "python"
        if _CONFIG.match(self.text):
            return "config"
        return "tree" if self.text.startswith("mcrouter/\n") else "shell"

    def lines(self) -> List[str]:
        """Its lines without what is said behind `  #`."""
        return [line.partition("  #")[0].rstrip() for line in self.text.splitlines() if line.strip()]


def sections() -> Dict[str, str]:
    """The text under each heading, those of its own included."""
    parts = re.split(r"^(#+ .+)\n", README, flags=re.M)
    return {heading.lstrip("# "): text for heading, text in zip(parts[1::2], parts[2::2])}


def blocks(kind: str) -> List[Block]:
    """All blocks of one kind, in order."""
    found = [Block(section, textwrap.dedent(m[1])) for section, text in sections().items() for m in _BLOCK.finditer(text)]
    return [block for block in found if block.kind == kind]


def quoted() -> List[str]:
    """Whatever stands in backquotes, in paragraphs and tables."""
    return re.findall(r"`([^`\n]+)`", _BLOCK.sub("\n", README))
