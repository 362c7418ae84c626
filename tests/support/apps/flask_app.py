"""A Flask service, bare (``app``) and inside the middleware (``wrapped``)."""

from flask import Flask, Response, request

import modeltap

app = Flask(__name__)
inputs = modeltap.ModelDataCollector("doubling", designation="inputs", feature_names=["number"])
predictions = modeltap.ModelDataCollector("doubling", designation="predictions", feature_names=["doubled"])
wrapped = modeltap.WSGIMiddleware(app)


@app.get("/")
def health():
    return "ok"


@app.post("/score")
def score():
    number = request.get_json()["number"]
    inputs.collect([[number]])
    predictions.collect([number * 2])
    return {"doubled": number * 2}


@app.post("/stream")
def stream():
    number = request.get_json()["number"]
    inputs.collect([[number]])

    def steps():
        yield "{"
        predictions.collect([number * 2])
        yield f'"doubled": {number * 2}}}'

    return Response(steps(), mimetype="application/json")
