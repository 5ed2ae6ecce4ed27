"""How a sign-in is handed over: as a cookie to a browser, as a token to a program."""

from datetime import datetime
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel, Field

from mintery.gateway.cookies import Role, csrf_of, set_cookie
from mintery.gateway.sites import site_of
from mintery.usecases.sign_in import Begun


class SignInOut(BaseModel):
    holder: str | None = Field(description="None: the operator.")
    expires_at: datetime
    csrf: str | None = Field(description="Send it as the header Mintery-CSRF with each call that changes something.")
    token: str | None = Field(None, description="For `Authorization: Bearer`, where the call asked for it.")


def keep(request: Request, response: Response, begun: Begun, role: Role, *, token: bool) -> SignInOut:
    response.headers["Cache-Control"] = "no-store"
    shown: dict[str, Any] = {"holder": begun.sign_in.holder, "expires_at": begun.sign_in.expires_at}
    if token:
        return SignInOut(**shown, csrf=None, token=begun.token)
    set_cookie(response, site_of(request), role, begun.token, begun.sign_in)
    return SignInOut(**shown, csrf=csrf_of(begun.token))
