"""python-memcached."""

from typing import Any, Dict, Optional, Tuple

import checks
import memcache


class PythonMemcached(checks.Cache):
    """One client object."""

    version = memcache.__version__

    def __init__(self, port: int, _variant: str) -> None:
        servers = [f"127.0.0.1:{port}"]
        # a larger limit than the server's, or a value too large would not be sent
        self._client = client = memcache.Client(
            servers, cache_cas=True, socket_timeout=checks.PATIENCE, server_max_value_length=1 << 23)  # fmt: skip
        self.add, self.replace, self.append, self.prepend = client.add, client.replace, client.append, client.prepend
        self.incr, self.decr, self.delete, self.touch = client.incr, client.decr, client.delete, client.touch
        self.get_many, self.delete_many = client.get_multi, client.delete_multi
        self.set_object, self.get_object = client.set, client.get

    def set(self, key: str, value: bytes, expire: int = 0) -> bool:
        return bool(self._client.set(key, value, expire))

    def get(self, key: str) -> Optional[bytes]:
        return self._client.get(key)

    def set_many(self, items: Dict[str, bytes]) -> bool:
        return self._client.set_multi(items) == []  # what failed

    def gets(self, key: str) -> Tuple[Optional[bytes], Any]:
        self._client.reset_cas()
        return self._client.gets(key), None  # it keeps the token itself

    def cas(self, key: str, value: bytes, _token: Any) -> bool:
        return bool(self._client.cas(key, value))

    def set_quietly(self, key: str, value: bytes) -> None:
        self._client.set(key, value, noreply=True)

    def stats(self) -> Dict[str, str]:
        return self._client.get_stats()[0][1]

    def close(self) -> None:
        self._client.disconnect_all()


checks.main(PythonMemcached)
