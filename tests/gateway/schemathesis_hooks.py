"""What schemathesis must be told about this API that OpenAPI cannot say; named in SCHEMATHESIS_HOOKS."""

from typing import Any

import schemathesis
from hypothesis import strategies as st

from batchgen.api import wire
from batchgen.gateway.models import MODELS
from tests.gateway.house import PNG

schemathesis.openapi.format("binary", st.just(PNG))


@schemathesis.hook
def filter_body(_: Any, body: Any) -> bool:
    """A form's references count together, however they are sent."""
    if not isinstance(body, dict) or body.get("model") not in list(MODELS):
        return True
    sent = [body.get(name) for name in (*wire.URL_FIELDS, *wire.FILE_FIELDS)]
    return sum(len(each) for each in sent if isinstance(each, list)) <= MODELS[body["model"]].references


@schemathesis.hook
def filter_failure(_: Any, failure: Any, case: Any, __: Any) -> bool:
    """In a form all is text: what was meant to be of a wrong type arrives as what it should be."""
    return not (type(failure).__name__ == "AcceptedNegativeData" and case.media_type == "multipart/form-data")
