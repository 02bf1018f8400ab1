#!/usr/bin/env python3
"""Makes the router one file, in two forms, and prints their sizes and SHA-256.

  mcrouter.pyz             a zipapp: executable, compressed
  mcrouter_standalone.py   a plain script, for hosts where only that can be pasted or audited: the text of every module

Both are the same byte for byte whenever they are made of the same sources; the zipapp, if by the same zlib.
"""

import argparse
import hashlib
import sys
import zipfile
from pathlib import Path
from typing import Dict, Optional, Sequence

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mcrouter import __version__  # noqa: E402
from mcrouter.cli.source_hash import source_hash, sources  # noqa: E402

PYZ, STANDALONE = "mcrouter.pyz", "mcrouter_standalone.py"
_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = b"import sys\n\nfrom mcrouter.cli.main import main\n\nif __name__ == '__main__':\n    sys.exit(main())\n"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can tell
_FILE_MODE, _UNIX = 0o100644, 3
_QUOTE = "'''"
_ENTRY = f'__sources__["%s"], _lines["%s"] = r{_QUOTE}'


def zipapp() -> bytes:
    """The whole zipapp (https://docs.python.org/3/library/zipapp.html), the package in a folder of its own, so that it
    can be put on sys.path too."""
    files = {"__main__.py": _MAIN, "LICENSE": (ROOT / "LICENSE").read_bytes(), "mcrouter/py.typed": b""}
    files.update({f"mcrouter/{path}": text for path, text in sources().items()})
    return _SHEBANG + _zipped(files)


def _zipped(files: Dict[str, bytes]) -> bytes:
    import io

    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(files):
            info = zipfile.ZipInfo(path, _LONG_AGO)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, _UNIX, _FILE_MODE << 16
            archive.writestr(info, files[path])
    return whole.getvalue()


def standalone() -> str:
    """The whole script."""
    importer = (ROOT / "tools" / "bundling" / "importer.py").read_text()
    parts = [_head() + importer]
    line = parts[0].count("\n")
    for path, data in sorted(sources().items()):
        text = data.decode()
        if _QUOTE in text or not text.endswith("\n"):
            raise SystemExit(f"bundle: {path} does not fit into the script; it must end a line and have no {_QUOTE}")
        start = f"\n\n# {'-' * 20} mcrouter/{path} {'-' * max(3, 88 - len(path))}\n{_ENTRY % (path, path)}"
        line += start.count("\n")
        parts.append(f"{start}{text}{_QUOTE}, {line}\n")
        line += text.count("\n") + 1
    return "".join([*parts, f"\n\n# {'-' * 118}\n_begin()\n"])


def _head() -> str:
    title = f"mcrouter for Python {__version__} (source {source_hash()}), a memcached request router, as one script."
    return (
        f'{_SHEBANG.decode()}"""{title}\n\n'
        "    python3 mcrouter_standalone.py --demo          two embedded hosts behind the sample policy\n"
        "    python3 mcrouter_standalone.py -f router.json  your own\n"
        "    python3 mcrouter_standalone.py --help\n\n"
        "Each module of the package stands here as it is there, behind what imports them. Needs nothing but Python\n"
        "3.9 or newer. Can be imported, too: it is the package. Licensed under the Apache License 2.0.\n"
        '"""\n\n'
    )


def write(folder: Path) -> "Dict[str, bytes]":
    """Writes both into a folder, executable; their bytes by name."""
    made = {PYZ: zipapp(), STANDALONE: standalone().encode()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in made.items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o755)
    return made


def make_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(prog="bundle", description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist", metavar="DIR", help="where to (dist)")
    return parser


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Makes them; returns the exit code."""
    folder = make_parser().parse_args(argv).output
    try:
        made = write(folder)
    except OSError as error:
        print(f"bundle: cannot write to {folder}: {error.strerror}; name a folder with -o", file=sys.stderr)
        return 1
    for name, data in made.items():
        print(f"{folder / name}: {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
