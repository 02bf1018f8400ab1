"""memcachio."""

from importlib.metadata import version
from typing import Any, Dict, List, Optional, Tuple

import checks
import memcachio
from looped import LoopedCache


class Memcachio(LoopedCache):
    """One client object with its loop."""

    version = version("memcachio")

    def __init__(self, port: int, _variant: str) -> None:
        super().__init__()
        self._client = memcachio.Client(("127.0.0.1", port), read_timeout=checks.PATIENCE)

    def set(self, key: str, value: bytes, expire: int = 0) -> bool:
        return self.wait(self._client.set(key, value, expiry=expire))

    def add(self, key: str, value: bytes) -> bool:
        return self.wait(self._client.add(key, value))

    def replace(self, key: str, value: bytes) -> bool:
        return self.wait(self._client.replace(key, value))

    def append(self, key: str, value: bytes) -> bool:
        return self.wait(self._client.append(key, value))

    def prepend(self, key: str, value: bytes) -> bool:
        return self.wait(self._client.prepend(key, value))

    def set_quietly(self, key: str, value: bytes) -> None:
        self.wait(self._client.set(key, value, noreply=True))

    def get(self, key: str) -> Optional[bytes]:
        return self.get_many([key]).get(key)

    def get_many(self, keys: List[str]) -> Dict[str, bytes]:
        return {key.decode(): item.value for key, item in self.wait(self._client.get(*keys)).items()}

    def gets(self, key: str) -> Tuple[Optional[bytes], Any]:
        item = self.wait(self._client.gets(key))[key.encode()]
        return item.value, item.cas

    def cas(self, key: str, value: bytes, token: Any) -> bool:
        return self.wait(self._client.cas(key, value, token))

    def get_and_touch(self, key: str, expire: int) -> Optional[bytes]:
        items = self.wait(self._client.gat(key, expiry=expire))
        return items[key.encode()].value if items else None

    def incr(self, key: str, delta: int) -> Optional[int]:
        return self.wait(self._client.incr(key, delta))

    def decr(self, key: str, delta: int) -> Optional[int]:
        return self.wait(self._client.decr(key, delta))

    def delete(self, key: str) -> bool:
        return self.wait(self._client.delete(key))

    def touch(self, key: str, expire: int) -> bool:
        return self.wait(self._client.touch(key, expire))

    def server_version(self) -> str:
        return next(iter(self.wait(self._client.version()).values()))

    def stats(self) -> Dict[str, str]:
        found = next(iter(self.wait(self._client.stats()).values()))
        return {name if isinstance(name, str) else name.decode(): value for name, value in found.items()}


checks.main(Memcachio)
