"""Who reads the record, and how much of it he may see."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

ReaderClass = Literal["owner", "viewer", "auditor", "operator"]
"""`owner`: whoever can open the socket in the data directory, and so could read the files themselves."""


class Reader(Struct, frozen=True, kw_only=True):
    """One reader. A viewer sees his own records, masked; everybody else sees all of them."""

    id: str
    reader_class: ReaderClass

    @property
    def sees_all(self) -> bool:
        """Whether other people's records are shown."""
        return self.reader_class != "viewer"
