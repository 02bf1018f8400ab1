"""aiomcache."""

from importlib.metadata import version
from typing import Any, Dict, List, Optional, Tuple

import aiomcache
import checks
from looped import LoopedCache


class Aiomcache(LoopedCache):
    """One client object with its loop."""

    version = version("aiomcache")

    def __init__(self, port: int, _variant: str) -> None:
        super().__init__()
        # with more connections it may ask over one while a host has not yet stored what it sent over the other
        self._client = aiomcache.Client("127.0.0.1", port, pool_size=1)

    def set(self, key: str, value: bytes, expire: int = 0) -> bool:
        return self.wait(self._client.set(key.encode(), value, expire))

    def add(self, key: str, value: bytes) -> bool:
        return self.wait(self._client.add(key.encode(), value))

    def replace(self, key: str, value: bytes) -> bool:
        return self.wait(self._client.replace(key.encode(), value))

    def append(self, key: str, value: bytes) -> bool:
        return self.wait(self._client.append(key.encode(), value))

    def prepend(self, key: str, value: bytes) -> bool:
        return self.wait(self._client.prepend(key.encode(), value))

    def get(self, key: str) -> Optional[bytes]:
        return self.wait(self._client.get(key.encode()))

    def get_many(self, keys: List[str]) -> Dict[str, bytes]:
        values = self.wait(self._client.multi_get(*(key.encode() for key in keys)))
        return {key: value for key, value in zip(keys, values) if value is not None}

    def gets(self, key: str) -> Tuple[Optional[bytes], Any]:
        return self.wait(self._client.gets(key.encode()))

    def cas(self, key: str, value: bytes, token: Any) -> bool:
        return self.wait(self._client.cas(key.encode(), value, token))

    def incr(self, key: str, delta: int) -> Optional[int]:
        return self.wait(self._client.incr(key.encode(), delta))

    def decr(self, key: str, delta: int) -> Optional[int]:
        return self.wait(self._client.decr(key.encode(), delta))

    def delete(self, key: str) -> bool:
        return self.wait(self._client.delete(key.encode()))

    def touch(self, key: str, expire: int) -> bool:
        return self.wait(self._client.touch(key.encode(), expire))

    def server_version(self) -> str:
        return self.wait(self._client.version()).decode()

    def stats(self) -> Dict[str, str]:
        return {name.decode(): value for name, value in self.wait(self._client.stats()).items()}

    def close(self) -> None:
        self.wait(self._client.close())
        self._loop.close()


checks.main(Aiomcache)
