"""Scores photos with ONNX Runtime. pip install onnxruntime pillow; python example_onnxruntime.py PHOTO …"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

folder = Path(__file__).parent
classes = json.loads((folder / "card.json").read_text(encoding="utf-8"))["outputs"]["quality_class"]["names"]
session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
names = [output.name for output in session.get_outputs()]
for path in sys.argv[1:]:
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    photo = np.asarray(picture, dtype=np.float32).transpose(2, 0, 1)[None]  # 1 × 3 × height × width, 0 … 255
    found = dict(zip(names, session.run(names, {"photo": photo}), strict=True))
    scores = {name: values[0].tolist() for name, values in found.items()}
    print(json.dumps({"file": path, **scores, "class": classes[scores["quality_class"]]}))
