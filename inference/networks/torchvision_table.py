"""Names and sizes of torchvision's ImageNet classifiers, so that torchvision need not be imported.

A test compares the table with torchvision. `torchvision_models` defines the stages.
"""

from typing import NamedTuple


class TorchvisionRow(NamedTuple):
    """Input and feature sizes of a classifier."""

    input_size: int
    """Side of the square that its weights were evaluated at, pixels."""
    interpolation: str
    pooled_start: int
    """Number of features before the pooled layer."""
    pooled_size: int
    patch_size: int = 0
    """Side of a patch of a vision transformer; 0 for others."""


TORCHVISION = {
    "alexnet": TorchvisionRow(224, "bilinear", 1024, 4096),
    "convnext_base": TorchvisionRow(224, "bilinear", 1792, 1024),
    "convnext_large": TorchvisionRow(224, "bilinear", 2688, 1536),
    "convnext_small": TorchvisionRow(224, "bilinear", 1344, 768),
    "convnext_tiny": TorchvisionRow(224, "bilinear", 1344, 768),
    "densenet121": TorchvisionRow(224, "bilinear", 3712, 1024),
    "densenet161": TorchvisionRow(224, "bilinear", 6720, 2208),
    "densenet169": TorchvisionRow(224, "bilinear", 4224, 1664),
    "densenet201": TorchvisionRow(224, "bilinear", 5248, 1920),
    "efficientnet_b0": TorchvisionRow(224, "bicubic", 384, 1280),
    "efficientnet_b1": TorchvisionRow(240, "bilinear", 384, 1280),
    "efficientnet_b2": TorchvisionRow(288, "bicubic", 416, 1408),
    "efficientnet_b3": TorchvisionRow(300, "bicubic", 480, 1536),
    "efficientnet_b4": TorchvisionRow(380, "bicubic", 544, 1792),
    "efficientnet_b5": TorchvisionRow(456, "bicubic", 608, 2048),
    "efficientnet_b6": TorchvisionRow(528, "bicubic", 688, 2304),
    "efficientnet_b7": TorchvisionRow(600, "bicubic", 768, 2560),
    "efficientnet_v2_l": TorchvisionRow(480, "bicubic", 832, 1280),
    "efficientnet_v2_m": TorchvisionRow(480, "bilinear", 656, 1280),
    "efficientnet_v2_s": TorchvisionRow(384, "bilinear", 592, 1280),
    "googlenet": TorchvisionRow(224, "bilinear", 3136, 1024),
    "inception_v3": TorchvisionRow(299, "bilinear", 2848, 2048),
    "maxvit_t": TorchvisionRow(224, "bicubic", 1024, 512),
    "mnasnet0_5": TorchvisionRow(224, "bilinear", 192, 1280),
    "mnasnet0_75": TorchvisionRow(224, "bilinear", 288, 1280),
    "mnasnet1_0": TorchvisionRow(224, "bilinear", 352, 1280),
    "mnasnet1_3": TorchvisionRow(224, "bilinear", 480, 1280),
    "mobilenet_v2": TorchvisionRow(224, "bilinear", 336, 1280),
    "mobilenet_v3_large": TorchvisionRow(224, "bilinear", 384, 1280),
    "mobilenet_v3_small": TorchvisionRow(224, "bilinear", 208, 1024),
    "regnet_x_16gf": TorchvisionRow(224, "bilinear", 3392, 2048),
    "regnet_x_1_6gf": TorchvisionRow(224, "bilinear", 1360, 912),
    "regnet_x_32gf": TorchvisionRow(224, "bilinear", 4768, 2520),
    "regnet_x_3_2gf": TorchvisionRow(224, "bilinear", 1504, 1008),
    "regnet_x_400mf": TorchvisionRow(224, "bilinear", 576, 400),
    "regnet_x_800mf": TorchvisionRow(224, "bilinear", 1024, 672),
    "regnet_x_8gf": TorchvisionRow(224, "bilinear", 2144, 1920),
    "regnet_y_128gf": TorchvisionRow(384, "bicubic", 9040, 7392),
    "regnet_y_16gf": TorchvisionRow(224, "bilinear", 3872, 3024),
    "regnet_y_1_6gf": TorchvisionRow(224, "bilinear", 1072, 888),
    "regnet_y_32gf": TorchvisionRow(224, "bilinear", 4704, 3712),
    "regnet_y_3_2gf": TorchvisionRow(224, "bilinear", 1792, 1512),
    "regnet_y_400mf": TorchvisionRow(224, "bilinear", 784, 440),
    "regnet_y_800mf": TorchvisionRow(224, "bilinear", 1120, 784),
    "regnet_y_8gf": TorchvisionRow(224, "bilinear", 3200, 2016),
    "resnet101": TorchvisionRow(224, "bilinear", 3712, 2048),
    "resnet152": TorchvisionRow(224, "bilinear", 3712, 2048),
    "resnet18": TorchvisionRow(224, "bilinear", 1024, 512),
    "resnet34": TorchvisionRow(224, "bilinear", 1024, 512),
    "resnet50": TorchvisionRow(224, "bilinear", 3712, 2048),
    "resnext101_32x8d": TorchvisionRow(224, "bilinear", 3712, 2048),
    "resnext101_64x4d": TorchvisionRow(224, "bilinear", 3712, 2048),
    "resnext50_32x4d": TorchvisionRow(224, "bilinear", 3712, 2048),
    "shufflenet_v2_x0_5": TorchvisionRow(224, "bilinear", 384, 1024),
    "shufflenet_v2_x1_0": TorchvisionRow(224, "bilinear", 792, 1024),
    "shufflenet_v2_x1_5": TorchvisionRow(224, "bilinear", 1152, 1024),
    "shufflenet_v2_x2_0": TorchvisionRow(224, "bilinear", 1560, 2048),
    "squeezenet1_0": TorchvisionRow(224, "bilinear", 1728, 1000),
    "squeezenet1_1": TorchvisionRow(224, "bilinear", 896, 1000),
    "swin_b": TorchvisionRow(224, "bicubic", 1792, 1024),
    "swin_s": TorchvisionRow(224, "bicubic", 1344, 768),
    "swin_t": TorchvisionRow(224, "bicubic", 1344, 768),
    "swin_v2_b": TorchvisionRow(256, "bicubic", 1792, 1024),
    "swin_v2_s": TorchvisionRow(256, "bicubic", 1344, 768),
    "swin_v2_t": TorchvisionRow(256, "bicubic", 1344, 768),
    "vgg11": TorchvisionRow(224, "bilinear", 2944, 4096),
    "vgg11_bn": TorchvisionRow(224, "bilinear", 2944, 4096),
    "vgg13": TorchvisionRow(224, "bilinear", 2944, 4096),
    "vgg13_bn": TorchvisionRow(224, "bilinear", 2944, 4096),
    "vgg16": TorchvisionRow(224, "bilinear", 2944, 4096),
    "vgg16_bn": TorchvisionRow(224, "bilinear", 2944, 4096),
    "vgg19": TorchvisionRow(224, "bilinear", 2944, 4096),
    "vgg19_bn": TorchvisionRow(224, "bilinear", 2944, 4096),
    "vit_b_16": TorchvisionRow(224, "bilinear", 4608, 768, 16),
    "vit_b_32": TorchvisionRow(224, "bilinear", 4608, 768, 32),
    "vit_h_14": TorchvisionRow(518, "bicubic", 7680, 1280, 14),
    "vit_l_16": TorchvisionRow(224, "bilinear", 6144, 1024, 16),
    "vit_l_32": TorchvisionRow(224, "bilinear", 6144, 1024, 32),
    "wide_resnet101_2": TorchvisionRow(224, "bilinear", 3712, 2048),
    "wide_resnet50_2": TorchvisionRow(224, "bilinear", 3712, 2048),
}
