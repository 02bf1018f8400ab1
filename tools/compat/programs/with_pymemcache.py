"""pymemcache; the variant is the class: Client, PooledClient or HashClient."""

import pickle
from typing import Any, Dict, Optional

import checks
import pymemcache
from pymemcache.client.hash import HashClient


class Pymemcache(checks.Cache):
    """One client object."""

    version = pymemcache.__version__

    def __init__(self, port: int, variant: str) -> None:
        server = ("127.0.0.1", port)
        options = {"timeout": checks.PATIENCE, "default_noreply": False}
        if variant == "HashClient":
            self._client: Any = HashClient([server], use_pooling=True, **options)
        else:
            self._client = getattr(pymemcache, variant)(server, **options)
            self.server_version = lambda: self._client.version().decode()
            self.stats = lambda: {name.decode(): value for name, value in self._client.stats().items()}
        self.add, self.replace = self._client.add, self._client.replace
        self.append, self.prepend = self._client.append, self._client.prepend
        self.incr, self.decr = self._client.incr, self._client.decr
        self.delete, self.touch = self._client.delete, self._client.touch
        self.get_many, self.delete_many = self._client.get_many, self._client.delete_many
        self.gets, self.cas = self._client.gets, self._client.cas

    def set(self, key: str, value: bytes, expire: int = 0) -> bool:
        return bool(self._client.set(key, value, expire))

    def get(self, key: str) -> Optional[bytes]:
        return self._client.get(key)

    def set_many(self, items: Dict[str, bytes]) -> bool:
        return self._client.set_many(items) == []  # what failed

    def set_quietly(self, key: str, value: bytes) -> None:
        self._client.set(key, value, noreply=True)

    def set_object(self, key: str, value: Any) -> bool:
        return bool(self._client.set(key, pickle.dumps(value), flags=1 << 31))

    def get_object(self, key: str) -> Any:
        return pickle.loads(self._client.get(key))

    def close(self) -> None:
        self._client.close()


checks.main(Pymemcache)
