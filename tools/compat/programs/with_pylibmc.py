"""pylibmc, which is libmemcached; the variant is one more behaviour to turn on."""

from typing import Dict, Optional

import checks
import pylibmc


class Pylibmc(checks.Cache):
    """One client object."""

    version = f"{pylibmc.__version__}, libmemcached {pylibmc.libmemcached_version}"

    def __init__(self, port: int, variant: str) -> None:
        behaviors = {"tcp_nodelay": True, "cas": True, **({variant: True} if variant else {})}
        self._client = client = pylibmc.Client([f"127.0.0.1:{port}"], behaviors=behaviors)
        self.add, self.replace, self.append, self.prepend = client.add, client.replace, client.append, client.prepend
        self.incr, self.decr, self.delete, self.touch = client.incr, client.decr, client.delete, client.touch
        self.get_many, self.delete_many = client.get_multi, client.delete_multi
        self.gets, self.cas = client.gets, client.cas
        self.set_object, self.get_object = client.set, client.get

    def set(self, key: str, value: bytes, expire: int = 0) -> bool:
        return bool(self._client.set(key, value, expire))

    def get(self, key: str) -> Optional[bytes]:
        return self._client.get(key)

    def set_many(self, items: Dict[str, bytes]) -> bool:
        return self._client.set_multi(items) == []  # what failed

    def set_quietly(self, key: str, value: bytes) -> None:
        self._client.behaviors = {"_noreply": True}
        self._client.set(key, value)
        self._client.behaviors = {"_noreply": False}

    def stats(self) -> Dict[str, str]:
        return self._client.get_stats()[0][1]

    def close(self) -> None:
        self._client.disconnect_all()


checks.main(Pylibmc)
