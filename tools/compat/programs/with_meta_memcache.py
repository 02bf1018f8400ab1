"""meta-memcache, which speaks meta commands alone."""

from importlib.metadata import version
from typing import Any, Dict, List, Optional, Tuple

import checks
from meta_memcache import CacheClient, ServerAddress, SetMode, connection_pool_factory_builder


class MetaMemcache(checks.Cache):
    """One client object."""

    version = version("meta-memcache")

    def __init__(self, port: int, _variant: str) -> None:
        servers = [ServerAddress(host="127.0.0.1", port=port)]
        pools = connection_pool_factory_builder(recv_timeout=checks.PATIENCE)
        self._client = CacheClient.cache_client_from_servers(servers=servers, connection_pool_factory_fn=pools)
        self.get_object = self._client.get

    def set(self, key: str, value: bytes, expire: int = 0) -> bool:
        return self._set(key, value, expire)

    def add(self, key: str, value: bytes) -> bool:
        return self._set(key, value, mode=SetMode.ADD)

    def replace(self, key: str, value: bytes) -> bool:
        return self._set(key, value, mode=SetMode.REPLACE)

    def append(self, key: str, value: bytes) -> bool:
        return self._set(key, value, mode=SetMode.APPEND)

    def prepend(self, key: str, value: bytes) -> bool:
        return self._set(key, value, mode=SetMode.PREPEND)

    def set_quietly(self, key: str, value: bytes) -> None:
        self._client.set(key, value, ttl=0, no_reply=True)

    def set_object(self, key: str, value: Any) -> bool:
        return self._set(key, value)

    def get(self, key: str) -> Optional[bytes]:
        return self._client.get(key)

    def get_many(self, keys: List[str]) -> Dict[str, bytes]:
        return {k.key: v for k, v in self._client.multi_get(keys).items() if v is not None}

    def gets(self, key: str) -> Tuple[Optional[bytes], Any]:
        return self._client.get_cas(key)

    def cas(self, key: str, value: bytes, token: Any) -> bool:
        return self._client.set(key, value, ttl=0, cas_token=token)

    def get_and_touch(self, key: str, expire: int) -> Optional[bytes]:
        return self._client.get(key, touch_ttl=expire)

    def incr(self, key: str, delta: int) -> Optional[int]:
        return self._client.delta_and_get(key, delta)

    def decr(self, key: str, delta: int) -> Optional[int]:
        return self._client.delta_and_get(key, -delta)

    def delete(self, key: str) -> bool:
        return self._client.delete(key)

    def touch(self, key: str, expire: int) -> bool:
        return self._client.touch(key, expire)

    def _set(self, key: str, value: Any, expire: int = 0, mode: SetMode = SetMode.SET) -> bool:
        return self._client.set(key, value, ttl=expire, set_mode=mode)


checks.main(MetaMemcache)
