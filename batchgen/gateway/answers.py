"""The answers to a create and to a poll, made from a task and the time; pure."""

import hashlib
import math
from typing import Any

from batchgen.api.wire import Billing, ImagesAnswer, TaskEnvelope, TaskResource, task_path
from batchgen.gateway.task import Standing, Task


def envelope(task: Task) -> TaskEnvelope:
    """The answer to the create that became this task; the same whenever the create is repeated."""
    return {
        "task_id": task.id,
        "object": "task",
        "model": task.asked.model,
        "type": "image",
        "state": "waiting",
        "created_at": int(task.created_at),
        "poll_url": task_path(task.id),
        "recommended_poll_interval_ms": _interval(task.latency_seconds),
        "eta_hint_seconds": math.ceil(task.latency_seconds),
    }


def resource(task: Task, standing: Standing, url: str | None) -> TaskResource:
    """The answer to a poll; `url` is a fresh address of the picture, None unless the task succeeded."""
    over = standing.state in {"success", "fail"}
    return {
        **envelope(task),
        "state": standing.state,
        "request_id": "req_" + hashlib.sha256(task.id.encode()).hexdigest()[:24],
        "request": _asked(task),
        "result": finished(task, url) if url else {},
        "error": task.error or {} if over else {},
        "progress": standing.progress,
        "billing": _billing(task, standing),
        "updated_at": int(standing.updated_at),
        "completed_at": int(standing.updated_at) if over else None,
        "recommended_poll_interval_ms": _interval(standing.remaining_seconds),
        "eta_hint_seconds": math.ceil(standing.remaining_seconds),
    }


def finished(task: Task, url: str) -> ImagesAnswer:
    """A finished answer."""
    return {"created": int(task.ended_at or task.created_at), "data": [{"url": url}]}


def _asked(task: Task) -> dict[str, Any]:
    asked = task.asked
    document = {
        "prompt": asked.prompt,
        "n": 1,
        "response_format": "url",
        "aspect_ratio": asked.aspect_ratio,
        "resolution": asked.resolution,
    }
    return document if asked.output_format is None else {**document, "output_format": asked.output_format}


def _billing(task: Task, standing: Standing) -> Billing:
    price = task.price_micro_usd
    match standing.state:
        case "success":
            status, actual, released = "committed", price, 0
        case "fail":
            status, actual, released = "released", 0, price
        case _:
            status, actual, released = "reserved", 0, 0
    return {
        "status": status,
        "reserve_amount_micro_usdc": price,
        "actual_amount_micro_usdc": actual,
        "released_amount_micro_usdc": released,
    }


def _interval(seconds: float) -> int:
    """Milliseconds until the next look, a little after it is expected to be done."""
    return min(2000, max(50, math.ceil(seconds * 1000) + 20))
