"""``/v1/operator/sign-in``: the operator's browser, by the operator key."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from mintery.errors import ForgedCall, NotOperator, NotSignedIn, SignInRefused, TooManyTries
from mintery.gateway.cookies import check_not_forged, cookie_of, csrf_of, drop_cookie
from mintery.gateway.entry import till_of
from mintery.gateway.errors import Problems
from mintery.gateway.sites import check_origin, site_of
from mintery.gateway.tries import Tries
from mintery.usecases import sign_in as usecase
from mintery.wallet.keeping import SignInOut, keep


class OperatorSignInIn(BaseModel):
    key: str = Field(min_length=1, max_length=4_096)


def operator_sign_in_router(problems: Problems) -> APIRouter:
    router = APIRouter(tags=["operator"], responses=problems.responses(SignInRefused, ForgedCall, TooManyTries))
    wrong = Tries(60, in_all=600)

    @router.post("/v1/operator/sign-in", responses=problems.responses(NotOperator))
    def post_operator_sign_in(request: Request, response: Response, body: OperatorSignInIn) -> SignInOut:
        """Begin a sign-in of the operator's browser, with the operator key: wrong keys are counted, and the right one is taken
        however many wrong ones came before it.
        """
        check_origin(request)
        try:
            begun = usecase.sign_in_as_operator(till_of(request).parts, body.key)
        except NotOperator:
            wrong.count(request)
            raise
        return keep(request, response, begun, "operator", token=False)

    @router.get("/v1/operator/sign-in", responses=problems.responses(NotSignedIn))
    def get_operator_sign_in(request: Request, response: Response) -> SignInOut:
        """Whether this browser is signed in as the operator's; each of its tabs needs to be told what to send beside the cookie."""
        response.headers["Cache-Control"] = "no-store"
        parts, token = till_of(request).parts, cookie_of(request, "operator")
        found = None if token is None else usecase.operator_signed_in(parts, token)
        if token is None or found is None:
            raise NotSignedIn
        return SignInOut(holder=None, expires_at=found.expires_at, csrf=csrf_of(token), token=None)

    @router.delete("/v1/operator/sign-in", status_code=204)
    def delete_operator_sign_in(request: Request) -> Response:
        """Sign the operator's browser out."""
        response = Response(status_code=204)
        drop_cookie(response, site_of(request), "operator")
        parts, token = till_of(request).parts, cookie_of(request, "operator")
        if token is not None and (found := usecase.operator_signed_in(parts, token)) is not None:
            check_not_forged(request, token)
            usecase.sign_out(parts, found)
        return response

    return router
