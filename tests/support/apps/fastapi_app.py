"""A FastAPI service inside the middleware: each way in which an endpoint can run."""

import asyncio
import time

from fastapi import BackgroundTasks, FastAPI
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

import modeltap

app = FastAPI()
app.add_middleware(modeltap.Middleware)
inputs = modeltap.ModelDataCollector("doubling", designation="inputs", feature_names=["number"])
predictions = modeltap.ModelDataCollector("doubling", designation="predictions", feature_names=["doubled"])


class Body(BaseModel):
    number: int

    @property
    def pause(self):
        """Requests overtake one another."""
        return self.number % 3 / 1000


def predicted(number):
    predictions.collect([number * 2])
    return {"doubled": number * 2}


@app.get("/")
def health():
    return "ok"


@app.post("/sync")
def sync(body: Body):
    inputs.collect([[body.number]])
    time.sleep(body.pause)
    return predicted(body.number)


@app.post("/async")
async def asynchronous(body: Body):
    inputs.collect([[body.number]])
    await asyncio.sleep(body.pause)
    return predicted(body.number)


@app.post("/threadpool")
async def threadpool(body: Body):
    inputs.collect([[body.number]])
    await asyncio.sleep(body.pause)
    return await run_in_threadpool(predicted, body.number)


@app.post("/background")
async def background(body: Body, tasks: BackgroundTasks):
    inputs.collect([[body.number]])
    tasks.add_task(predicted, body.number)
    return {"doubled": body.number * 2}


@app.post("/stream")
async def stream(body: Body):
    inputs.collect([[body.number]])

    async def steps():
        yield b"{"
        await asyncio.sleep(body.pause)
        predicted(body.number)
        yield b'"doubled": %d}' % (body.number * 2)

    return StreamingResponse(steps(), media_type="application/json")
