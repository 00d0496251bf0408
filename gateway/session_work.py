"""What each session did to files: the memory behind write-then-run and link-then-read across calls.

Kept are changes that calls asked for and were not denied, before their answer leaves, so that the change cannot come first.
A file keeps every content that it may have; only a write that the client reports done takes the place of earlier ones.
Everything here only tightens: what is lost (a restart, a full memory) leaves a call as it is judged without memory.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from gateway.domain.remembered import NOTHING_REMEMBERED, Change, Remembered, Text, file_key

Forgotten = Literal["session", "entry", "text"]
SessionKey = tuple[tuple[str, ...], str, str]
"""Principal, agent and session id: the id alone is the client's to choose."""
_UNKNOWN = Text()
_CHANGED = Text(whole=False)
_MAX_CALLS = 64


class WorkLimits(Struct, frozen=True, kw_only=True):
    """How much is remembered. A file with more contents than `contents` may have any other as well."""

    sessions: int = 1024
    files: int = 512
    links: int = 128
    aliases: int = 64
    contents: int = 4
    text_bytes: int = 65_536
    path_characters: int = 4096
    session_bytes: int = 1024 * 1024
    bytes: int = 32 * 1024 * 1024


class _Content(Struct, frozen=True):
    """A content, and the call that asked for it ("" once nothing more is to come of it)."""

    text: Text
    call_id: str


class _Work:
    """One session's files, links and aliases."""

    def __init__(self) -> None:
        self.files: OrderedDict[str, tuple[_Content, ...]] = OrderedDict()
        self.links: OrderedDict[str, str] = OrderedDict()
        self.aliases: OrderedDict[str, str] = OrderedDict()
        self.writes: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        """Files that a call wrote as a whole, until it is known to be done."""
        self.calls: OrderedDict[str, None] = OrderedDict()
        self.bytes = 0
        self.view: Remembered | None = None


class SessionWork:
    """Remembers for many sessions. Who fills it displaces his own sessions first, nobody else's.

    `forgotten` counts what a limit made it give up; `unseen` the sessions whose beginning it did not see.
    """

    def __init__(self, limits: WorkLimits | None = None) -> None:
        self._limits = limits or WorkLimits()
        self._sessions: OrderedDict[SessionKey, _Work] = OrderedDict()
        self._bytes: Counter[tuple[str, ...]] = Counter()
        self._counts: Counter[tuple[str, ...]] = Counter()
        self.forgotten: Counter[Forgotten] = Counter()
        self.unseen = 0

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def bytes(self) -> int:
        """Bytes of texts and paths that are kept."""
        return self._bytes.total()

    def view(self, key: SessionKey) -> Remembered:
        """What a session is known to have done."""
        work = self._sessions.get(key)
        if work is None:
            return NOTHING_REMEMBERED
        if work.view is None:
            files = {path: _texts(contents) for path, contents in work.files.items()}
            work.view = Remembered(files=files, links=dict(work.links), aliases=dict(work.aliases))
        return work.view

    def begin(self, key: SessionKey, *, beginning: bool) -> None:
        """A session is heard of; `beginning` when this is its start, and not the middle of one that is not known."""
        if key in self._sessions:
            self._sessions.move_to_end(key)
            return
        if not beginning:
            self.unseen += 1
        self._sessions[key] = _Work()
        self._counts[key[0]] += 1
        while len(self._sessions) > self._limits.sessions and self._give_up(key, self._counts):
            pass

    def keep(self, key: SessionKey, changes: Sequence[Change], call_id: str) -> None:
        """Changes that a call asked for and may now make."""
        if not changes:
            return
        self.begin(key, beginning=True)
        work = self._sessions[key]
        if call_id and call_id in work.calls:
            return  # The client asks again about the same call.
        work.calls[call_id] = None
        while len(work.calls) > _MAX_CALLS:
            work.calls.popitem(last=False)
        before = work.bytes
        for change in changes:
            self._apply(work, change, call_id)
        work.view = None
        self._shorten(work)
        self._bytes[key[0]] += work.bytes - before
        while self.bytes > self._limits.bytes and self._give_up(key, self._bytes):
            pass

    def done(self, key: SessionKey, call_id: str) -> None:
        """A call is reported done: what it wrote as a whole has taken the place of earlier contents."""
        work = self._sessions.get(key)
        if work is None or not call_id:
            return
        before = work.bytes
        for path in work.writes.pop(call_id, ()):
            contents = work.files.get(path, ())
            at = next((at for at, content in enumerate(contents) if content.call_id == call_id), None)
            if at is not None:
                self._set(work, path, contents[at:])
        work.view = None
        self._bytes[key[0]] += work.bytes - before

    def _apply(self, work: _Work, change: Change, call_id: str) -> None:
        if (
            max(len(change.path), len(change.other) if change.kind != "edit" else 0)
            > self._limits.path_characters
        ):
            self.forgotten["entry"] += 1
            return
        path = file_key(change.path)
        if change.kind == "link":
            self._put(work, work.links, change.path, change.other, self._limits.links)
            return
        if change.kind == "alias":
            self._put(work, work.aliases, change.path, change.text or "", self._limits.aliases)
            return
        known = work.files.get(path, ())
        if change.kind == "copy":
            self._copy(work, file_key(change.other), path, call_id)
        elif change.kind == "rewrite":
            if known:
                self._set(work, path, (*known, _Content(_CHANGED, call_id)))
        elif change.kind in ("edit", "append"):
            self._piece(work, path, change, call_id)
        else:
            self._set(work, path, (*known, _Content(self._text(change), call_id)))
            self._written(work, path, call_id)

    def _text(self, change: Change) -> Text:
        text = change.text
        if text is not None and len(text) > self._limits.text_bytes:
            self.forgotten["text"] += 1
            text = None
        return Text(text=text, fetched=change.fetched)

    def _piece(self, work: _Work, path: str, change: Change, call_id: str) -> None:
        """Part of a file is replaced, or put behind it: known in full where the content before is, else as a piece."""
        known = work.files.get(path, ())
        # A call that changes a file several times changes what itself left.
        mine = tuple(content for content in known if content.call_id == call_id) or known
        kept = tuple(content for content in known if content.call_id != call_id)
        piece = self._text(change)
        found = [text for content in mine if (text := self._pieced(content.text, change, piece)) is not None]
        if not found:
            whole = change.kind == "edit" and not change.other and not known
            found = [Text(text=piece.text, whole=whole, fetched=piece.fetched)]
        self._set(work, path, (*kept, *(_Content(text, call_id) for text in found)))
        if mine and all(content.text.whole and content.text.text is not None for content in known):
            self._written(work, path, call_id)

    def _pieced(self, before: Text, change: Change, piece: Text) -> Text | None:
        """The content after the change, None where that cannot be told."""
        if not before.whole or before.text is None or piece.text is None:
            return None
        if change.kind == "append":
            after = before.text + piece.text
        elif change.other and change.other in before.text:
            after = before.text.replace(change.other, piece.text, -1 if change.every else 1)
        else:
            return None
        if len(after) > self._limits.text_bytes:
            return _UNKNOWN
        return Text(text=after, fetched=before.fetched or piece.fetched)

    def _copy(self, work: _Work, source: str, target: str, call_id: str) -> None:
        """A file, or all files of a directory, under another name."""
        below = f"{source}/"
        for path, contents in list(work.files.items()):
            if path == source or path.startswith(below):
                place = target + path[len(source) :]
                kept = work.files.get(place, ())
                self._set(work, place, (*kept, *(_Content(one.text, call_id) for one in contents)))
                self._written(work, place, call_id)

    def _written(self, work: _Work, path: str, call_id: str) -> None:
        if call_id:
            work.writes[call_id] = (*work.writes.get(call_id, ()), path)
            while len(work.writes) > _MAX_CALLS:
                # What is never reported done only keeps more contents.
                work.writes.popitem(last=False)

    def _set(self, work: _Work, path: str, contents: tuple[_Content, ...]) -> None:
        unique = tuple({content.text: content for content in contents}.values())
        if len(unique) > self._limits.contents:
            self.forgotten["text"] += 1
            rest = [content for content in unique if content.text != _UNKNOWN]
            unique = (_Content(_UNKNOWN, ""), *rest[len(rest) - self._limits.contents + 1 :])
        self._drop(work, path)
        work.files[path] = unique
        work.bytes += _size(path, unique)
        while len(work.files) > self._limits.files:
            self.forgotten["entry"] += 1
            self._drop(work, next(iter(work.files)))

    @staticmethod
    def _drop(work: _Work, path: str) -> None:
        gone = work.files.pop(path, None)
        if gone is not None:
            work.bytes -= _size(path, gone)

    def _put(self, work: _Work, table: OrderedDict[str, str], name: str, value: str, limit: int) -> None:
        if len(value) > self._limits.text_bytes:
            self.forgotten["entry"] += 1
            return
        gone = table.pop(name, None)
        if gone is not None:
            work.bytes -= len(name) + len(gone)
        table[name] = value
        work.bytes += len(name) + len(value)
        while len(table) > limit:
            self.forgotten["entry"] += 1
            first, dropped = table.popitem(last=False)
            work.bytes -= len(first) + len(dropped)

    def _shorten(self, work: _Work) -> None:
        """Keep a session within its bytes: of the oldest files it is only kept that the session wrote them."""
        for path in list(work.files):
            if work.bytes <= self._limits.session_bytes:
                return
            if any(content.text.text for content in work.files[path]):
                self.forgotten["text"] += 1
                before = work.files[path]
                work.files[path] = (_Content(_UNKNOWN, ""),)
                work.bytes += _size(path, work.files[path]) - _size(path, before)
        while work.bytes > self._limits.session_bytes and work.files:
            self.forgotten["entry"] += 1
            self._drop(work, next(iter(work.files)))

    def _give_up(self, spared: SessionKey, shares: Counter[tuple[str, ...]]) -> bool:
        """Forget the oldest session of the principal with the largest share, never the one that is at work."""
        for principal, _ in shares.most_common():
            oldest = next((key for key in self._sessions if key[0] == principal and key != spared), None)
            if oldest is not None:
                self.forgotten["session"] += 1
                self._bytes[principal] -= self._sessions.pop(oldest).bytes
                self._counts[principal] -= 1
                if not self._counts[principal]:
                    del self._counts[principal], self._bytes[principal]
                return True
        return False


def _texts(contents: tuple[_Content, ...]) -> tuple[Text, ...]:
    return tuple(content.text for content in contents)


def _size(path: str, contents: tuple[_Content, ...]) -> int:
    return len(path) + sum(len(content.text.text or "") + 64 for content in contents)
