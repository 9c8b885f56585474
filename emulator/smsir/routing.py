"""From a request to the method that it calls and to what that is given, as ASP.NET finds and reads them."""

from __future__ import annotations

from .. import forms
from ..gateway import GatewayRequest
from ..uploads import Upload
from . import contacts, finance, groups, listings, notices, sends, sent, tickets
from .envelope import HttpError
from .fields import Fields, json_fields
from .login import GET_TOKEN
from .operation import FILES, JSON, Call, Operation

PREFIX = "/users/v1/"
_OPERATIONS: dict[str, Operation] = {
    operation.path.lower(): operation
    for operation in (
        GET_TOKEN,
        *groups.OPERATIONS,
        *contacts.OPERATIONS,
        *listings.OPERATIONS,
        *sends.OPERATIONS,
        *sent.OPERATIONS,
        *tickets.OPERATIONS,
        *notices.OPERATIONS,
        *finance.OPERATIONS,
    )
}
# The document's own misprint, with a small L, in its title, its link and its parameter.
_OPERATIONS["contacts/getcontactsbypageld"] = _OPERATIONS["contacts/getcontactsbypageid"]


def find_operation(request: GatewayRequest) -> Operation:
    """The method that a request is for, or ASP.NET's refusal."""
    path = request.path[len(PREFIX) :].rstrip("/ ")
    operation = _OPERATIONS.get(path.lower())
    if operation is None:
        controller, _, action = path.partition("/")
        known = {path.partition("/")[0] for path in _OPERATIONS}
        if controller.lower() in known:
            detail = f"No action was found on the controller '{controller}' that matches the name '{action}'."
        else:
            detail = f"No type was found that matches the controller named '{controller}'."
        raise no_resource(request, detail)
    if request.method != operation.verb:
        problem = f"The requested resource does not support http method '{request.method}'."
        raise HttpError(405, problem, allow=operation.verb)
    return operation


def read_call(operation: Operation, request: GatewayRequest) -> Call:
    """What the method is given."""
    origin = f"http://{request.headers.get('Host', '127.0.0.1')}"
    query = forms.query_pairs(request.query)
    if operation.body == JSON:
        return Call(json_fields(request.content_type, request.body), None, origin)
    parts = _read_parts(request) if operation.body == FILES else ()
    # The vendor's samples put these parameters into the query, and the document stays vague.
    form = [(part.name, part.text()) for part in parts if part.filename is None]
    fields = Fields([*query, *form])
    for name in operation.required:
        if not fields.has(name):
            controller = operation.path.partition("/")[0]
            detail = f"No action was found on the controller '{controller}' that matches the request."
            raise no_resource(request, detail)
    files = [part for part in parts if part.filename is not None and part.name.lower() == "file"]
    return Call(fields, files[0] if files else None, origin)


def _read_parts(request: GatewayRequest) -> tuple[Upload, ...]:
    if request.parts is not None:
        return request.parts
    media_type = request.content_type.partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        raise HttpError(400, "Unexpected end of MIME multipart stream. MIME multipart message is not complete.")
    if request.body:
        raise HttpError(415, f"The request entity's media type '{media_type}' is not supported for this resource.")
    # Without a file everything fits into the query.
    return ()


def no_resource(request: GatewayRequest, detail: str) -> HttpError:
    """A 404 in ASP.NET's words."""
    uri = f"http://{request.headers.get('Host', '127.0.0.1')}{request.path}"
    return HttpError(404, f"No HTTP resource was found that matches the request URI '{uri}'.", detail)
