"""A client's connection where it was once wrong."""

from .hosts import LineHost, client, router


def test_a_pipeline_longer_than_the_window_is_answered_when_no_answer_has_to_be_waited_for():
    host = LineHost(lambda line: b"END\r\n")
    with host, router(host, route="LocalRoute") as served, client(served) as wire:
        answers = wire.send(b"version\r\n" * 200 + b"quit\r\n").read_to_close()
    assert answers.count(b"VERSION") == 200


def test_a_client_that_goes_after_such_a_pipeline_is_forgotten():
    host = LineHost(lambda line: b"END\r\n")
    with host, router(host, route="LocalRoute") as served, client(served) as wire:
        assert wire.send(b"version\r\n" * 200).finish().read_to_close().count(b"VERSION") == 200
