"""python-binary-memcached, whose module is bmemcached."""

from importlib.metadata import version
from typing import Dict, Optional

import bmemcached
import checks


class Bmemcached(checks.Cache):
    """One client object."""

    version = version("python-binary-memcached")

    def __init__(self, port: int, _variant: str) -> None:
        self._client = client = bmemcached.Client([f"127.0.0.1:{port}"], socket_timeout=1)
        self.incr, self.decr, self.delete = client.incr, client.decr, client.delete
        self.get_many, self.delete_many, self.gets = client.get_multi, client.delete_multi, client.gets
        self.add, self.replace, self.cas = client.add, client.replace, client.cas
        self.set_object, self.get_object = client.set, client.get

    def set(self, key: str, value: bytes, expire: int = 0) -> bool:
        return bool(self._client.set(key, value, expire))

    def get(self, key: str) -> Optional[bytes]:
        return self._client.get(key)

    def set_many(self, items: Dict[str, bytes]) -> bool:
        return self._client.set_multi(items) == []  # what failed

    def close(self) -> None:
        self._client.disconnect_all()


checks.main(Bmemcached)
