"""Scores photos with OpenCV 5.0 or newer. pip install opencv-python-headless; python example_opencv.py PHOTO …"""

import json
import os
import sys
from pathlib import Path

# In OpenCV 5.0, int8 products are wrong at the edge of pictures on processors with AVX-VNNI, so it must not use that.
os.environ.setdefault("OPENCV_CPU_DISABLE", "AVX_VNNI")
import cv2

folder = Path(__file__).parent
card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
classes, names = card["outputs"]["quality_class"]["names"], list(card["outputs"])
network = cv2.dnn.readNetFromONNX(str(folder / "model.onnx"))
for path in sys.argv[1:]:
    picture = cv2.imread(path)  # turned upright, with the channels in the order blue, green, red
    network.setInput(cv2.dnn.blobFromImage(picture, swapRB=True))  # no size: the model resizes by itself
    found = dict(zip(names, network.forward(names), strict=True))
    scores = {name: values.reshape(-1).tolist() for name, values in found.items()}
    scores = {name: values if name == "distribution" else values[0] for name, values in scores.items()}
    print(json.dumps({"file": path, **scores, "class": classes[int(scores["quality_class"])]}))
