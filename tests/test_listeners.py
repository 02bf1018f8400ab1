"""Unix sockets that the router listens on: the mode of their files, what was there before, what stays behind."""

import os
import socket
import stat

import pytest

from mcrouter.server.listeners import ListenError, open_listeners
from mcrouter.settings import listen_address
from tests.embedding.served import served


def opened(path, mode=""):
    """The one socket of a path."""
    address = listen_address(f"unix://{path}{mode}")
    return open_listeners([address], 1, {})[address.text][0]


@pytest.mark.parametrize(("umask", "mode", "expected"), [(0o077, "?mode=660", 0o660), (0o000, "?mode=600", 0o600), (0o027, "", 0o750)])
def test_the_address_says_the_mode_else_the_umask(tmp_path, umask, mode, expected):
    before = os.umask(umask)
    try:
        with opened(tmp_path / "s", mode):
            assert stat.S_IMODE(os.stat(tmp_path / "s").st_mode) == expected
    finally:
        os.umask(before)


def test_a_socket_with_a_full_backlog_is_in_use_and_not_waited_for(tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(path)
        busy.listen(0)
        waiting = []
        try:
            while True:
                waiting.append(socket.socket(socket.AF_UNIX))
                waiting[-1].setblocking(False)
                waiting[-1].connect(path)
        except BlockingIOError:
            pass
        with pytest.raises(ListenError, match="Address already in use"):
            opened(path)
        for sock in waiting:
            sock.close()
    assert os.path.exists(path)


def test_a_socket_of_a_dead_process_is_taken_over(tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
    opened(tmp_path / "s").close()


def test_a_router_that_ends_leaves_no_file(tmp_path):
    path = tmp_path / "s"
    with served(listen=f"unix://{path}?mode=600") as (router, _):
        assert router.addresses == [f"unix://{path}"] and path.is_socket()
    assert not path.exists()


def test_a_router_that_ends_leaves_the_file_of_another(tmp_path):
    path = tmp_path / "s"
    with served(listen=f"unix://{path}"), socket.socket(socket.AF_UNIX) as other:
        path.unlink()
        other.bind(str(path))
    assert path.is_socket()


def test_a_start_that_fails_leaves_no_file(tmp_path):
    addresses = [listen_address(f"unix://{tmp_path}/s"), listen_address(f"unix://{tmp_path}/none/s")]
    with pytest.raises(ListenError):
        open_listeners(addresses, 1, {})
    assert list(tmp_path.iterdir()) == []
