"""libmc."""

from importlib.metadata import version
from typing import Any, Dict, Optional

import checks
import libmc


class Libmc(checks.Cache):
    """One client object."""

    version = version("libmc")

    def __init__(self, port: int, _variant: str) -> None:
        self._client = client = libmc.Client([f"127.0.0.1:{port}"], do_split=False)
        client.config(libmc.MC_POLL_TIMEOUT, int(checks.PATIENCE * 1000))
        self.add, self.replace, self.append, self.prepend = client.add, client.replace, client.append, client.prepend
        self.incr, self.decr, self.delete, self.touch = client.incr, client.decr, client.delete, client.touch
        self.get_many, self.set_many, self.delete_many = client.get_multi, client.set_multi, client.delete_multi
        self.gets, self.set_object, self.get_object = client.gets, client.set, client.get

    def set(self, key: str, value: bytes, expire: int = 0) -> bool:
        return bool(self._client.set(key, value, expire))

    def get(self, key: str) -> Optional[bytes]:
        return self._client.get(key)

    def cas(self, key: str, value: bytes, token: Any) -> bool:
        return bool(self._client.cas(key, value, 0, token))

    def server_version(self) -> str:
        return next(iter(self._client.version().values()))

    def stats(self) -> Dict[str, str]:
        return next(iter(self._client.stats().values()))

    def close(self) -> None:
        self._client.quit()


checks.main(Libmc)
