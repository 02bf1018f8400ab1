"""stub"""
import zlib


def hash32(data: bytes, seed: int) -> int:
    """stub"""
    return zlib.crc32(data, seed)
