"""The flags of meta commands, and what memcached says to wrong ones.

A flag is a letter with its argument behind it. memcached reads the flags of all meta commands by one table
(`_meta_flag_preparse` in proto_text.c, later in proto_parser.c); its rules, as asked of 1.6.18 and known of 1.6.45:

| flags                   | argument           | what is said to a wrong one: CLIENT_ERROR ...              |
| T N R                   | exptime, signed    | bad token in command line format                           |
| C                       | 64 bits            | bad token in command line format                           |
| F                       | 32 bits            | bad command line format (1.6.18 takes 64 bits)             |
| D, J                    | 64 bits            | invalid numeric delta value, invalid numeric initial value |
| M                       | of `ms`: E A P R S | incorrect length for M token, invalid mode for ms M token  |
| O                       | at most 31 bytes   | opaque token too long                                      |
| b                       | -                  | error decoding key, where the key is no base64             |
| c f h I k l q s t u v   | -                  | (what follows the letter is not looked at)                 |
| L P                     | any                | (they are for memcached's proxy)                           |
| a letter's second flag  |                    | duplicate flag; to a byte from 0x7f on, too                |
| any other               |                    | invalid flag (1.6.45 takes E and x)                        |

`ms` is held to this table: to a flag that is no letter or digit, 1.6.45 answers without swallowing the data, and takes
that for commands. What is wrong in the other commands costs their client alone: the host answers, by what it knows.
"""

import binascii
import re
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

from ..numbers import client_flags, signed, unsigned

BAD_FORMAT = b"CLIENT_ERROR bad command line format\r\n"
DUPLICATE = b"CLIENT_ERROR duplicate flag\r\n"
INVALID = b"CLIENT_ERROR invalid flag\r\n"
BAD_KEY = b"CLIENT_ERROR error decoding key\r\n"
_BAD_TOKEN = b"CLIENT_ERROR bad token in command line format\r\n"
_BAD_LENGTH = b"CLIENT_ERROR incorrect length for M token\r\n"
_BAD_MODE = b"CLIENT_ERROR invalid mode for ms M token\r\n"
_BAD_OPAQUE = b"CLIENT_ERROR opaque token too long\r\n"
_BAD_DELTA = b"CLIENT_ERROR invalid numeric delta value\r\n"
_BAD_INITIAL = b"CLIENT_ERROR invalid numeric initial value\r\n"
_B, _M, _O = b"bMO"
_MODES = b"EAPRS"
_MAX_OPAQUE = 32  # bytes, its letter included
_SHORT = 9  # digits that fit into any number
_NO_LETTER = 0x7F  # from here on a byte is taken for a letter that was there before
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})").fullmatch


class Flag(NamedTuple):
    """A row of the table: `plain` gives a flag's argument as it is sent on, None where memcached refuses it with
    `complaint` (empty: with that of an earlier flag, if there is one)."""

    plain: Callable[[bytes], Optional[bytes]]
    complaint: bytes = b""


def _number(read: Callable[[bytes], Optional[int]]) -> Callable[[bytes], Optional[bytes]]:
    def plain(argument: bytes) -> Optional[bytes]:
        if len(argument) <= _SHORT and argument.isdigit():
            return argument  # as most are
        value = read(argument)
        return None if value is None else b"%d" % value

    return plain


def _table() -> Dict[int, Flag]:
    exptime, wide = _number(signed), _number(unsigned)
    rows = [
        (b"TNR", Flag(exptime, _BAD_TOKEN)),
        (b"C", Flag(wide, _BAD_TOKEN)),
        (b"F", Flag(_number(client_flags))),
        (b"D", Flag(wide, _BAD_DELTA)),
        (b"J", Flag(wide, _BAD_INITIAL)),
        (b"M", Flag(lambda argument: argument if len(argument) == 1 else None, _BAD_LENGTH)),
        (b"OLP", Flag(lambda argument: argument)),
        (b"bcfhIklqstuv", Flag(lambda argument: b"")),
    ]
    return {letter: flag for letters, flag in rows for letter in letters}


FLAGS = _table()


def decoded(key: bytes) -> Optional[bytes]:
    """Returns what a base64 key stands for; None where it is no base64. memcached 1.6.18 skips bytes that have no place
    there and stops at the first padding: such keys are refused here, for two of them may be one key at the host."""
    return binascii.a2b_base64(key) if _BASE64(key) else None


def canonical(key: bytes) -> bytes:
    """A base64 key as memcached writes it: bits that stand for nothing are 0."""
    return binascii.b2a_base64(binascii.a2b_base64(key), newline=False)


def read_flags(key: bytes, flags: List[bytes]) -> Tuple[List[bytes], bytes]:
    """(the flags as they are sent on, what memcached says to them): one of both is empty, or both.

    As in memcached, an unknown or second flag ends the reading; of other complaints the last one counts.
    """
    plain: List[bytes] = []
    seen = set()
    complaint = b""
    for flag in flags:
        letter = flag[0]
        if letter >= _NO_LETTER or letter in seen:
            return [], DUPLICATE
        row = FLAGS.get(letter)
        if row is None:
            return [], INVALID
        seen.add(letter)
        argument = row.plain(flag[1:])
        if letter == _B and decoded(key) is None:
            complaint = BAD_KEY
        elif argument is None:
            complaint = row.complaint or complaint or BAD_FORMAT
        else:
            plain.append(flag[:1] + argument)
    return ([], complaint) if complaint else (plain, b"")


def read_store_flags(key: bytes, flags: List[bytes]) -> Tuple[List[bytes], bytes]:
    """The same for `ms`, which goes on to look at its mode, and then at the opaque."""
    plain, complaint = read_flags(key, flags)
    if complaint:
        return [], complaint
    if any(flag[0] == _M and flag[1] not in _MODES for flag in plain):
        return [], _BAD_MODE
    return ([], _BAD_OPAQUE) if any(flag[0] == _O and len(flag) > _MAX_OPAQUE for flag in plain) else (plain, b"")
