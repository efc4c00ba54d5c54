"""Tasks with something wrong: what a poll says of them instead of the truth."""

import json
from typing import Any, Final

from batchgen.gateway.faults import Mark
from batchgen.gateway.faults.recorded import Recorded
from batchgen.gateway.refusal import Refusal

_PENDING: Final = {"waiting", "queuing", "generating"}


class Marked:
    """A task with something wrong, and how often it was looked at."""

    def __init__(self, mark: Mark) -> None:
        self._mark, self._looks = mark, 0

    def answer(self, honest: Recorded) -> Recorded:
        """What the next poll says."""
        self._looks += 1
        if honest.status != 200 or (self._mark.looks is not None and self._looks > self._mark.looks):
            return honest
        document = honest.document()
        match self._mark.kind:
            case "missing":
                return refusal(Refusal(404, "task_not_found", "there is no such task"))
            case "hangs":
                return _told(honest, _pending(document, "generating"))
            case "strange":
                return _told(honest, _pending(document, "finalizing"))
            case "refused":
                return _failed(honest, document, "content_policy_violation", "the content violates the usage policy")
            case "fails":
                return _failed(honest, document, "500", "the model could not finish this picture")


def refusal(told: Refusal) -> Recorded:
    """An answer of 400 or above, recorded."""
    response = told.response()
    return Recorded(told.status, tuple(response.raw_headers), bytes(response.body))


def _failed(honest: Recorded, document: dict[str, Any], code: str, message: str) -> Recorded:
    """Ended without a picture, and without a charge, once the true task has ended."""
    if document.get("state") in _PENDING:
        return honest
    billing = dict(document.get("billing") or {})
    if billing:
        reserved = billing.get("reserve_amount_micro_usdc", 0)
        billing |= {"status": "released", "actual_amount_micro_usdc": 0, "released_amount_micro_usdc": reserved}
    error = {"code": code, "message": message, "type": "server_error"}
    return _told(honest, {**document, "state": "fail", "result": {}, "error": error, "billing": billing})


def _pending(document: dict[str, Any], word: str) -> dict[str, Any]:
    return {
        **document,
        "state": word,
        "result": {},
        "progress": min(95, document.get("progress") or 0),
        "completed_at": None,
    }


def _told(honest: Recorded, document: dict[str, Any]) -> Recorded:
    return honest.saying(json.dumps(document).encode())
