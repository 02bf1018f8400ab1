"""The protocol over a plain socket, with nothing but Python: what fails here is no library's fault."""

import platform
import socket
from typing import Any, Dict, List, Optional, Tuple

import checks


class SocketCache(checks.Cache):
    """One connection."""

    version = platform.python_version()

    def __init__(self, port: int, _variant: str) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), checks.PATIENCE)
        self._answers = self._sock.makefile("rb")

    def set(self, key: str, value: bytes, expire: int = 0) -> bool:
        return self._store("set", key, value, expire)

    def add(self, key: str, value: bytes) -> bool:
        return self._store("add", key, value)

    def replace(self, key: str, value: bytes) -> bool:
        return self._store("replace", key, value)

    def append(self, key: str, value: bytes) -> bool:
        return self._store("append", key, value)

    def prepend(self, key: str, value: bytes) -> bool:
        return self._store("prepend", key, value)

    def cas(self, key: str, value: bytes, token: Any) -> bool:
        return self._store("cas", key, value, more=f" {token}")

    def set_quietly(self, key: str, value: bytes) -> None:
        self._send(f"set {key} 0 0 {len(value)} noreply", value + b"\r\n")

    def set_many(self, items: Dict[str, bytes]) -> bool:
        self._sock.sendall(b"".join(b"set %b 0 0 %d\r\n%b\r\n" % (k.encode(), len(v), v) for k, v in items.items()))
        return {self._line() for _ in items} == {b"STORED"}

    def get(self, key: str) -> Optional[bytes]:
        return self.get_many([key]).get(key)

    def get_many(self, keys: List[str]) -> Dict[str, bytes]:
        self._send("get " + " ".join(keys))
        return {key: value for key, value, _ in self._values()}

    def gets(self, key: str) -> Tuple[Optional[bytes], Any]:
        self._send(f"gets {key}")
        for _, value, more in self._values():
            return value, more[0].decode()
        return None, None

    def get_and_touch(self, key: str, expire: int) -> Optional[bytes]:
        self._send(f"gat {expire} {key}")
        return next((value for _, value, _ in self._values()), None)

    def incr(self, key: str, delta: int) -> Optional[int]:
        return self._number(f"incr {key} {delta}")

    def decr(self, key: str, delta: int) -> Optional[int]:
        return self._number(f"decr {key} {delta}")

    def delete(self, key: str) -> bool:
        return self._ask(f"delete {key}") == b"DELETED"

    def delete_many(self, keys: List[str]) -> bool:
        self._sock.sendall(b"".join(b"delete %b\r\n" % key.encode() for key in keys))
        return {self._line() for _ in keys} == {b"DELETED"}

    def touch(self, key: str, expire: int) -> bool:
        return self._ask(f"touch {key} {expire}") == b"TOUCHED"

    def server_version(self) -> str:
        return self._ask("version").decode().replace("VERSION ", "", 1)

    def stats(self) -> Dict[str, str]:
        self._send("stats")
        found = {}
        for line in iter(self._line, b"END"):
            _, name, value = line.decode().split(" ", 2)
            found[name] = value
        return found

    def close(self) -> None:
        self._answers.close()
        self._sock.close()

    def _store(self, verb: str, key: str, value: bytes, expire: int = 0, more: str = "") -> bool:
        answer = self._ask(f"{verb} {key} 0 {expire} {len(value)}{more}", value + b"\r\n")
        if len(key) > 250:  # the line is refused; the value is swallowed, or by older memcacheds taken for another line
            self._send("mn")
            while self._line() != b"MN":
                pass
        return answer == b"STORED"

    def _number(self, line: str) -> Optional[int]:
        answer = self._ask(line)
        return int(answer) if answer.isdigit() else None

    def _values(self) -> List[Tuple[str, bytes, List[bytes]]]:
        found = []
        for line in iter(self._line, b"END"):
            word, key, _, size, *more = line.split(b" ")
            if word != b"VALUE":
                raise ValueError(line)
            found.append((key.decode(), self._answers.read(int(size) + 2)[:-2], more))
        return found

    def _ask(self, line: str, data: bytes = b"") -> bytes:
        self._send(line, data)
        return self._line()

    def _send(self, line: str, data: bytes = b"") -> None:
        self._sock.sendall(line.encode() + b"\r\n" + data)

    def _line(self) -> bytes:
        line = self._answers.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError(f"the connection ends after {line!r}")
        return line[:-2]


checks.main(SocketCache)
