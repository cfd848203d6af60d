"""The API: one NinjaAPI, a router per app, session login with CSRF protection. Described at /api/docs."""

from ninja import NinjaAPI
from ninja.security import SessionAuth

from annotation.api import router as annotation_router
from inference.api import router as inference_router
from training.api import router as training_router

api = NinjaAPI(title="IQS", version="1", auth=SessionAuth())
api.add_router("", annotation_router)
api.add_router("", inference_router)
api.add_router("", training_router)
