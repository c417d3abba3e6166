"""What the gateway's documentation suggests, as a Flask program: redirect to
OAuth, exchange the code, make the payment, redirect to the pay page, check the
notification, and ask whether it was paid. It remembers nothing but a signed
cookie."""

import hashlib
import http.client
import json
import os
import threading
import uuid
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

from flask import Flask, redirect, request, session, url_for

GATEWAY = os.environ["BENCH_GATEWAY"]  # host:port
APP_CODE = os.environ["BENCH_APP_CODE"]
CLIENT_KEY = os.environ["BENCH_CLIENT_KEY"]
HONG_KONG = timezone(timedelta(hours=8))

app = Flask(__name__)
app.secret_key = CLIENT_KEY
connections = threading.local()


def sign(params):
    text = "&".join(f"{name}={params[name]}" for name in sorted(params))
    return hashlib.md5((text + CLIENT_KEY).encode()).hexdigest().upper()


def call(method, path, params):
    """One signed call, on a connection that this thread keeps."""
    headers = {"X-QF-APPCODE": APP_CODE, "X-QF-SIGN": sign(params)}
    body, query = None, ""
    if method == "POST":
        body = urlencode(params)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    else:
        query = "?" + urlencode(params)
    if not hasattr(connections, "gateway"):
        connections.gateway = http.client.HTTPConnection(GATEWAY, timeout=10)
    connections.gateway.request(method, path + query, body, headers)
    reply = json.loads(connections.gateway.getresponse().read())
    if reply["respcd"] != "0000":
        raise RuntimeError(f"{path}: {reply['respcd']}")
    return reply


@app.get("/")
def ready():
    return "ready"


@app.get("/pay/cat-food")
def start():
    session["order"] = uuid.uuid4().hex
    params = {
        "app_code": APP_CODE,
        "redirect_uri": url_for("callback", state=session["order"], _external=True),
    }
    params["sign"] = sign(params)
    return redirect(f"http://{GATEWAY}/tool/v1/get_weixin_oauth_code?{urlencode(params)}")


@app.get("/pay/callback")
def callback():
    order = session.get("order")
    if not order or order != request.args.get("state"):
        return "another browser's payment", 403
    openid = call("GET", "/tool/v1/get_weixin_openid", {"code": request.args["code"]})["openid"]
    reply = call("POST", "/trade/v1/payment", {
        "txamt": "12800", "txcurrcd": "HKD", "pay_type": "800207", "out_trade_no": order, "sub_openid": openid,
        "txdtm": datetime.now(HONG_KONG).strftime("%Y-%m-%d %H:%M:%S"), "goods_name": "Cat food 猫粮",
    })
    params = reply["pay_params"] | {
        "mchntnm": "Harbour Pets", "txamt": "12800", "currency": "HKD", "goods_name": "Cat food 猫粮",
        "redirect_url": url_for("come_back", order=order, _external=True),
    }
    return redirect(f"http://{GATEWAY}/q/direct?{urlencode(params)}")


@app.post("/pay/notify")
def notify():
    signed = hashlib.md5(request.get_data() + CLIENT_KEY.encode()).hexdigest().upper()
    if signed != request.headers.get("X-QF-SIGN"):
        return "wrong signature", 401
    return "SUCCESS"


@app.get("/pay/return")
def come_back():
    trades = call("POST", "/trade/v1/query", {"out_trade_no": request.args["order"]})["data"]
    paid = len(trades) == 1 and trades[0]["respcd"] == "0000" and trades[0]["cancel"] == "0"
    title = "Payment received" if paid else "Not paid yet"
    return f"<!doctype html><title>{title}</title><h1>{title}</h1><p>Cat food 猫粮, HKD 128.00"
