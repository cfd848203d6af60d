"""An ONNX graph that makes the input pixels of a backbone from a photo of any size.

Other programs resize in their own ways: without antialiasing, or with another filter. This changes the scores, so
exported models resize by themselves, as Pillow does in `inference.networks.transforms.pixels`: the weights of all
pixels of an axis are one matrix, and two matrix products resize the photo. ONNX Runtime and OpenCV compute both in the
same way, which they do not with their resizing operators.
"""

import onnx

#: Of ONNX. All parts of an exported model have this one.
OPSET, IR_VERSION = 18, 10

# Filters of Pillow (libImaging/Resample.c) for the distance x ≥ 0: the bicubic one has the parameter a = −0.5.
_FILTERS = {
    "bilinear": """
  {axis}_slope = Sub(one, {axis}_x)
  {axis}_weight = Max({axis}_slope, zero)""",
    "bicubic": """
  {axis}_c = Min({axis}_x, two)
  {axis}_square = Mul({axis}_c, {axis}_c)
  {axis}_near1 = Mul({axis}_c, three_halves)
  {axis}_near2 = Sub({axis}_near1, five_halves)
  {axis}_near3 = Mul({axis}_near2, {axis}_square)
  {axis}_near = Add({axis}_near3, one)
  {axis}_far1 = Mul({axis}_c, minus_half)
  {axis}_far2 = Add({axis}_far1, five_halves)
  {axis}_far3 = Mul({axis}_far2, {axis}_square)
  {axis}_far4 = Mul({axis}_c, four)
  {axis}_far5 = Sub({axis}_far3, {axis}_far4)
  {axis}_far = Add({axis}_far5, two)
  {axis}_is_near = Less({axis}_c, one)
  {axis}_weight = Where({axis}_is_near, {axis}_near, {axis}_far)""",
}
# Weights [side, length] of the pixels of one axis. Reducing stretches the filter, which is the antialiasing.
_AXIS = """
  {axis}_length1 = Gather(shape, {axis}_place)
  {axis}_length = Cast <to = 1> ({axis}_length1)
  {axis}_scale = Div({axis}_length, side)
  {axis}_stretch = Max({axis}_scale, one)
  {axis}_centre = Mul(centres, {axis}_scale)
  {axis}_pixels1 = Range(zero, {axis}_length, one)
  {axis}_pixels = Add({axis}_pixels1, half)
  {axis}_offset = Sub({axis}_pixels, {axis}_centre)
  {axis}_distance = Div({axis}_offset, {axis}_stretch)
  {axis}_x = Abs({axis}_distance)
  {filter}
  {axis}_sum = ReduceSum <keepdims = 1> ({axis}_weight, row)
  {axis}_weights = Div({axis}_weight, {axis}_sum)"""
# Pillow resizes along the rows first, and rounds to whole grey levels after each of the two steps.
_GRAPH = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
resize (float[photos, 3, height, width] photo) => (uint8[photos, {side}, {side}, 3] pixels)
<
  float zero = {{0}}, float half = {{0.5}}, float one = {{1}}, float two = {{2}}, float four = {{4}},
  float three_halves = {{1.5}}, float five_halves = {{2.5}}, float minus_half = {{-0.5}}, float white = {{255}},
  float side = {{{side}}}, int64 height_place = {{2}}, int64 width_place = {{3}}, int64[1] row = {{1}}
>
{{
  shape = Shape(photo)
  numbers1 = Range(zero, side, one)
  numbers2 = Add(numbers1, half)
  centres = Unsqueeze(numbers2, row){width}{height}
  width_columns = Transpose <perm = [1, 0]> (width_weights)
  across1 = MatMul(photo, width_columns)
  across2 = Add(across1, half)
  across3 = Floor(across2)
  across4 = Max(across3, zero)
  across = Min(across4, white)
  down1 = MatMul(height_weights, across)
  down2 = Add(down1, half)
  down3 = Floor(down2)
  down4 = Max(down3, zero)
  down = Min(down4, white)
  last = Transpose <perm = [0, 2, 3, 1]> (down)
  pixels = Cast <to = 2> (last)
}}
"""


def resize_graph(side: int, interpolation: str) -> onnx.ModelProto:
    """Return the graph: photo float32 [N, 3, height, width], RGB 0 … 255 → pixels uint8 [N, side, side, 3].

    `interpolation`: a name in `inference.networks.transforms.INTERPOLATIONS`. Pixels differ from Pillow's by at most
    one grey level, where a value lies almost in the middle of two levels.
    """
    axes = {
        axis: _AXIS.format(axis=axis, filter=_FILTERS[interpolation].format(axis=axis).strip())
        for axis in ("width", "height")
    }
    model = onnx.parser.parse_model(_GRAPH.format(side=side, opset=OPSET, ir_version=IR_VERSION, **axes))
    used = {name for node in model.graph.node for name in node.input}
    for tensor in [one for one in model.graph.initializer if one.name not in used]:
        model.graph.initializer.remove(tensor)
    return model
