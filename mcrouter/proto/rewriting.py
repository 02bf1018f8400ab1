"""stub"""
from .requests import Request


def routing_name(request: Request) -> bytes:
    """stub"""
    return request.keys()[0]


def rekeyed(request, new):  # type: ignore
    """stub"""
    raise NotImplementedError


def restored(reply, outcomes, request, changed):  # type: ignore
    """stub"""
    raise NotImplementedError
