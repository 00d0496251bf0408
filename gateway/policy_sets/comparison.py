"""Two policy sets side by side: what their rules say, and what the calls of the last days would have met."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct, structs

from gateway.domain.ports import AuditStore
from gateway.domain.query import Query
from gateway.domain.record import Record
from gateway.enforcement.checks import CheckSettings
from gateway.errors import ConfigError
from gateway.policy.changes import RuleChanges, rule_changes
from gateway.policy.engine import compile_policies
from gateway.policy.load import load_documents
from gateway.policy.model import Document
from gateway.policy.problems import Complaints
from gateway.policy.settings import EngineSettings
from gateway.policy_sets.history import PolicyHistory, PolicySet
from gateway.policy_sets.replay import Replay, Side, replay

LAST_CALLS = 10_000
_PAGE = 500


class ComparisonRequest(Struct, frozen=True, kw_only=True):
    """Which revisions to compare, and how calls are put to them."""

    before: str
    after: str
    kind_prefix: str = ""
    dropped: tuple[str, ...] = ()
    calls: int = LAST_CALLS


class ComparisonResult(Struct, frozen=True, kw_only=True):
    """What is different."""

    before: str
    after: str
    rules: RuleChanges
    replay: Replay


class Comparison:
    """Compares sets of a history over a store of records. `open_store` is called where the comparison runs."""

    def __init__(self, history: PolicyHistory, open_store: Callable[[], AuditStore]) -> None:
        self._history = history
        self._open_store = open_store

    def run(self, request: ComparisonRequest) -> ComparisonResult:
        """Compare; takes seconds, so it belongs into a thread of the clerk. Raises ConfigError, PolicyError or StoreError."""
        before, after = self._find(request.before), self._find(request.after)
        store = self._open_store()
        try:
            result = replay(
                _calls(store, request.calls), self._side(before, request), self._side(after, request)
            )
        finally:
            store.close()
        return ComparisonResult(
            before=request.before,
            after=request.after,
            rules=rule_changes(_documents(before), _documents(after)),
            replay=result,
        )

    def _find(self, revision: str) -> PolicySet:
        found = self._history.find(revision)
        if found is None:
            raise ConfigError(
                f"The policy set {revision!r} is not kept.", number=209, remedy="Only the last ones are."
            )
        return found

    @staticmethod
    def _side(policies: PolicySet, request: ComparisonRequest) -> Side:
        settings = CheckSettings(
            kind_prefix=request.kind_prefix, dropped=request.dropped, rules_off=policies.rules_off
        )
        return Side(compile_policies(policies.files, EngineSettings()), settings)


def _documents(policies: PolicySet) -> Sequence[Document]:
    return load_documents(policies.files, Complaints())


def _calls(store: AuditStore, wanted: int) -> Iterator[Record]:
    """The newest recorded calls, synthetic ones left out."""
    query = Query(type=("call",), limit=_PAGE)
    while wanted > 0:
        page = store.search(query)
        for row in page.rows[:wanted]:
            yield row.record
        wanted -= len(page.rows)
        if not page.cursor:
            return
        query = structs.replace(query, cursor=page.cursor)
