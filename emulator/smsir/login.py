"""`Token/GetToken`, the one method without a token."""

from __future__ import annotations

import hmac

from .envelope import ERROR_KEYS, FailureError, Payload
from .operation import Call, post
from .state import State


def _get_token(state: State, call: Call) -> Payload:
    """A token for the account's keys."""
    account = state.account
    is_user = _same(call.fields.text("UserApiKey"), account.user_api_key)
    is_secret = _same(call.fields.text("SecretKey"), account.secret_key)
    if not (is_user and is_secret):
        if state.switches.wrong_keys == "null_token_successful":
            return {"TokenKey": None}
        raise FailureError(ERROR_KEYS, "کلید وب سرویس یا کد امنیتی نامعتبر است")
    token = state.tokens.issue(revoke_old=state.switches.new_token_revokes_old)
    if state.switches.dead_tokens:
        state.switches.dead_tokens -= 1
        state.tokens.forget(token)
    return {"TokenKey": token}


def _same(given: str | None, wanted: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(errors="surrogatepass"), wanted.encode())


GET_TOKEN = post("Token/GetToken", _get_token, TokenKey=None)
