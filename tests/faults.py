"""Faults of files: one flipped bit."""

import io
import struct
import zipfile

HEADER_BYTES = 30  # of a member of a zip, before its name and its extra field


def flipped(content: bytes) -> bytes:
    """A file of tensors with one bit flipped amid the largest tensor, which torch does not notice."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [item for item in archive.infolist() if "/data/" in item.filename]
    member = max(members, key=lambda item: item.file_size)
    name, extra = struct.unpack_from("<HH", content, member.header_offset + 26)
    damaged = bytearray(content)
    damaged[member.header_offset + HEADER_BYTES + name + extra + member.file_size // 2] ^= 1
    return bytes(damaged)
