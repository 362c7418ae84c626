"""A Flask service whose collectors are made when it is imported: with ``gunicorn --preload``, in the master."""

import os
import signal

from flask import Flask, request

import modeltap

app = Flask(__name__)
inputs = modeltap.ModelDataCollector("doubling", designation="inputs", feature_names=["number"])
predictions = modeltap.ModelDataCollector("doubling", designation="predictions", feature_names=["doubled"])
inputs.collect([[-1]])  # a service warms up before it forks
predictions.collect([-2])


@app.get("/")
def who():
    handler = signal.getsignal(signal.SIGTERM)
    return {"pid": os.getpid(), "sigterm": getattr(handler, "__module__", str(handler))}


@app.post("/score")
def score():
    numbers = request.get_json()["numbers"]
    inputs.collect([[number] for number in numbers])
    predictions.collect([2 * number for number in numbers])
    return {"pid": os.getpid()}
