"""stub"""
import base64

from .commands import COMMANDS, META, META_STORE, VALUES
from .replies import TOO_LARGE, value_blocks
from .requests import GET, Request


def _binary(request: Request) -> bool:
    meta = COMMANDS[request.kinds[0]].request in (META, META_STORE)
    return meta and b"b" in bytes(request.data).split(b"\r\n", 1)[0].split(b" ")[2:]


def routing_name(request: Request) -> bytes:
    """stub"""
    key = request.keys()[0]
    return base64.b64decode(key) if _binary(request) else key


def rekeyed(request, new):  # type: ignore
    """stub"""
    keys = request.keys()
    changed = [new(routing_name(request))] if len(keys) == 1 else [new(key) for key in keys]
    if _binary(request):
        changed = [base64.b64encode(changed[0])]
    line, rest = bytes(request.data).split(b"\r\n", 1)
    fields = line.split(b" ")
    first = fields.index(keys[0], 1)
    fields[first : first + len(keys)] = changed
    made = Request(request.client, request.kinds, b" ".join(fields) + b"\r\n" + rest)
    if COMMANDS[request.kinds[0]].reply == VALUES:
        made.words = changed
    if request.kinds[0] == GET and len(keys) == 1:
        made.words, made.word = None, changed[0]
    made.started, made.bulk = request.started, request.bulk
    return made


def restored(reply, outcomes, request, changed):  # type: ignore
    """stub"""
    if reply is TOO_LARGE or not isinstance(reply, bytes) or not reply.startswith(b"VALUE "):
        return reply
    names = dict(zip(changed.keys(), request.keys()))
    return b"".join(block.replace(key, names[key], 1) for key, block in value_blocks(reply)) + b"END\r\n"
