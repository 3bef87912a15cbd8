"""The weak shop: no ownership checks, an open admin page, database errors shown to everybody.

Weak on purpose: orders and cards are handed to whoever knows their number, `/api/admin/stats` asks for nothing, the
search answers a quote with its database's error text, and the login neither slows down nor locks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import time
from typing import Any

from examples.shop.data import CUSTOMERS, PRODUCTS, card_of, customer, order, product
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

__all__ = ["app", "token_for"]

_KEY = b"the shop's signing key is weak too"
app = FastAPI(title="Weak shop", docs_url=None, redoc_url=None, openapi_url=None)


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def token_for(user: int, *, role: str = "customer") -> str:
    """A signed JWT with the user as subject."""
    now = int(time.time())
    claims = {"iss": "https://shop.example", "sub": f"user-{user}", "role": role, "iat": now, "exp": now + 3600}
    head = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = base64.urlsafe_b64encode(hmac.digest(_KEY, head.encode(), hashlib.sha256)).decode().rstrip("=")
    return f"{head}.{signature}"


def _user(request: Request) -> dict[str, Any] | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    head, _, signature = token.rpartition(".")
    good = base64.urlsafe_b64encode(hmac.digest(_KEY, head.encode(), hashlib.sha256)).decode().rstrip("=")
    if kind.lower() != "bearer" or not hmac.compare_digest(signature, good):
        return None
    text = head.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return claims


def _refused() -> JSONResponse:
    return JSONResponse({"error": "token required"}, 401)


def _missing(what: str) -> JSONResponse:
    return JSONResponse({"error": f"no such {what}"}, 404)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "up"}


@app.post("/api/login")
async def login(request: Request) -> JSONResponse:
    body = await request.json()
    name, _, number = str(body.get("username", "")).partition("-")
    if name == "user" and number.isdecimal() and body.get("password") == f"correct-{number}":
        return JSONResponse({"token": token_for(int(number)), "user": f"user-{number}"})
    return JSONResponse({"error": "wrong user name or password"}, 401)


@app.get("/api/users/{user_id}")
def read_user(request: Request, user_id: int) -> JSONResponse:
    if _user(request) is None:
        return _refused()
    found = customer(user_id)
    return JSONResponse(found) if found else _missing("user")


@app.get("/api/users/{user_id}/orders")
def read_orders(request: Request, user_id: int) -> JSONResponse:
    if _user(request) is None:
        return _refused()
    return JSONResponse({"orders": [order(user_id * 10 + n) for n in range(3)]})


@app.get("/api/orders/{order_id}")
def read_order(request: Request, order_id: int) -> JSONResponse:
    if _user(request) is None:
        return _refused()
    found = order(order_id)
    return JSONResponse(found) if found else _missing("order")


@app.post("/api/orders")
async def create_order(request: Request) -> JSONResponse:
    if _user(request) is None:
        return _refused()
    body = await request.json()
    return JSONResponse(
        {"id": random.randrange(20_000, 30_000), "items": body.get("items", []), "status": "created"}, 201
    )


@app.get("/api/cards/{card_id}")
def read_card(request: Request, card_id: int) -> JSONResponse:
    if _user(request) is None:
        return _refused()
    return JSONResponse(card_of(card_id))


@app.get("/api/products/{slug}")
def read_product(slug: str) -> JSONResponse:
    found = product(slug)
    return JSONResponse(found) if found else _missing("product")


@app.get("/api/search")
def search(q: str = "") -> JSONResponse:
    if "'" in q:
        return JSONResponse({"error": 'sqlite3.OperationalError: near "\'": syntax error'}, 500)
    words = q.lower().split()
    found = [p for p in PRODUCTS.values() if any(word in p["name"].lower() for word in words)]
    return JSONResponse({"results": found[:10], "count": len(found)})


@app.get("/api/admin/stats")
def stats() -> dict[str, Any]:
    return {"customers": len(CUSTOMERS), "newest": [c["email"] for c in CUSTOMERS[-3:]], "revenue": 123456.78}


@app.delete("/api/admin/users/{user_id}")
def delete_user(request: Request, user_id: int) -> JSONResponse:
    claims = _user(request)
    if claims is None or claims.get("role") != "admin":
        return JSONResponse({"error": "admins only"}, 403)
    return JSONResponse({"deleted": user_id})


@app.post("/graphql")
async def graphql(request: Request) -> JSONResponse:
    if _user(request) is None:
        return JSONResponse({"errors": [{"message": "token required"}]}, 401)
    body = await request.json()
    query = str(body.get("query", ""))
    if "recommendations" in query:
        return JSONResponse({"data": {"recommendations": [{"slug": slug} for slug in list(PRODUCTS)[:4]]}})
    return JSONResponse({"data": {"me": {"id": 1, "loyaltyPoints": 42}}})
