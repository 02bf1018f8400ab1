"""emcache."""

from importlib.metadata import version
from typing import Any, Awaitable, Dict, List, Optional, Tuple

import checks
import emcache
from looped import LoopedCache


class Emcache(LoopedCache):
    """One client object with its loop. It raises where the server refuses."""

    version = version("emcache")

    def __init__(self, port: int, _variant: str) -> None:
        super().__init__()
        self._server = emcache.MemcachedHostAddress("127.0.0.1", port)
        self._client = self.wait(emcache.create_client([self._server], timeout=checks.PATIENCE))

    def set(self, key: str, value: bytes, expire: int = 0) -> bool:
        return self._done(self._client.set(key.encode(), value, exptime=expire))

    def add(self, key: str, value: bytes) -> bool:
        return self._done(self._client.add(key.encode(), value))

    def replace(self, key: str, value: bytes) -> bool:
        return self._done(self._client.replace(key.encode(), value))

    def append(self, key: str, value: bytes) -> bool:
        return self._done(self._client.append(key.encode(), value))

    def prepend(self, key: str, value: bytes) -> bool:
        return self._done(self._client.prepend(key.encode(), value))

    def set_quietly(self, key: str, value: bytes) -> None:
        self.wait(self._client.set(key.encode(), value, noreply=True))

    def get(self, key: str) -> Optional[bytes]:
        return _value(self.wait(self._client.get(key.encode())))

    def get_many(self, keys: List[str]) -> Dict[str, bytes]:
        items = self.wait(self._client.get_many([key.encode() for key in keys]))
        return {key.decode(): item.value for key, item in items.items()}

    def gets(self, key: str) -> Tuple[Optional[bytes], Any]:
        item = self.wait(self._client.gets(key.encode()))
        return item.value, item.cas

    def cas(self, key: str, value: bytes, token: Any) -> bool:
        return self._done(self._client.cas(key.encode(), value, token))

    def get_and_touch(self, key: str, expire: int) -> Optional[bytes]:
        return _value(self.wait(self._client.gat(expire, key.encode())))

    def incr(self, key: str, delta: int) -> Optional[int]:
        return self.wait(self._client.increment(key.encode(), delta))

    def decr(self, key: str, delta: int) -> Optional[int]:
        return self.wait(self._client.decrement(key.encode(), delta))

    def delete(self, key: str) -> bool:
        try:
            return self._done(self._client.delete(key.encode()))
        except emcache.NotFoundCommandError:
            return False

    def touch(self, key: str, expire: int) -> bool:
        return self._done(self._client.touch(key.encode(), expire))

    def server_version(self) -> str:
        return self.wait(self._client.version(self._server))

    def stats(self) -> Dict[str, str]:
        return self.wait(self._client.stats(self._server))

    def close(self) -> None:
        self.wait(self._client.close())

    def _done(self, what: Awaitable[Any]) -> bool:
        self.wait(what)
        return True


def _value(item: Any) -> Optional[bytes]:
    return item.value if item else None


checks.main(Emcache)
