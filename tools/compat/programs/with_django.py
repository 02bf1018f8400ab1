"""Django's cache; the variant is the backend: PyMemcacheCache or PyLibMCCache."""

from typing import Any, Dict, List, Optional

import checks
import django
from django.conf import settings
from django.core.cache import caches


class DjangoCache(checks.Cache):
    """The cache of one thread, as Django gives it."""

    version = django.__version__

    def __init__(self, port: int, variant: str) -> None:
        if not settings.configured:
            backend = f"django.core.cache.backends.memcached.{variant}"
            options = {"BACKEND": backend, "LOCATION": f"127.0.0.1:{port}", "KEY_FUNCTION": lambda key, *_: key}
            settings.configure(CACHES={"default": options})
        self._cache = cache = caches["default"]
        self.get_many, self.add, self.delete = cache.get_many, cache.add, cache.delete
        self.incr, self.decr, self.touch = cache.incr, cache.decr, cache.touch

    def set(self, key: str, value: bytes, expire: int = 0) -> bool:
        self._cache.set(key, value, expire or None)  # says nothing
        return len(value) < 1_000_000

    def get(self, key: str) -> Optional[bytes]:
        return self._cache.get(key)

    def set_many(self, items: Dict[str, bytes]) -> bool:
        return self._cache.set_many(items) == []  # what failed

    def delete_many(self, keys: List[str]) -> bool:
        self._cache.delete_many(keys)
        return True

    def set_object(self, key: str, value: Any) -> bool:
        self._cache.set(key, value)
        return True

    def get_object(self, key: str) -> Any:
        return self._cache.get(key)

    def close(self) -> None:
        self._cache.close()


checks.main(DjangoCache)
