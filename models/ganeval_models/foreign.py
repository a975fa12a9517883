"""Generators in files of the authors' own projects: which of their parameters is which of ours."""

from __future__ import annotations

import re

from ganeval.training.foreign import Foreign, Misfit, Read, Shapes, kernel, numbered

STATISTICS = r"\.(running_mean|running_var|num_batches_tracked)$"  # kept by the normalizations, used neither in training nor by its test


def _resnet(shapes: Shapes) -> Read:
    width, taken = kernel(shapes, "model.1.weight")
    blocks = numbered(shapes, r"model\.\d+\.conv_block\.1\.weight")
    if not blocks:
        raise Misfit("it has no residual blocks (model.10.conv_block.1.weight …)")
    made, _ = kernel(shapes, f"model.{17 + blocks}.weight")  # the last convolution
    return Read((taken, made), {"residual_blocks": blocks, "g_width": width})


RESNET = Foreign(
    project="junyanz/pytorch-CycleGAN-and-pix2pix",
    only="--netG resnet_9blocks or resnet_6blocks with --norm instance and --no_dropout, the defaults of its cycle_gan",
    read=_resnet,
    theirs=lambda ours, read: "model." + ours.replace(".layers.", ".conv_block."),
    idle=STATISTICS,
)


def _unet(shapes: Shapes) -> Read:
    width, taken = kernel(shapes, "model.model.0.weight")
    _, made = kernel(shapes, "model.model.3.weight")
    levels = 1 + numbered(shapes, r"model\.model\.1\.(model\.3\.)*model\.1\.weight")
    norm = "batch" if "model.model.1.model.2.weight" in shapes else "instance"
    return Read((taken, made), {"g_width": width, "norm": norm}, image_size=2**levels)


def _unet_name(ours: str, read: Read) -> str:
    """Theirs is nested: `model.1` is what is inside the outermost level, `model.3` inside each further one."""
    assert read.image_size is not None
    levels = read.image_size.bit_length() - 1
    way, index, layer, kind = re.fullmatch(r"(down|up)\.(\d+)(?:\.(\d))?\.(\w+)", ours).groups()  # type: ignore[union-attr]
    level = int(index) if way == "down" else levels - 1 - int(index)
    if level == 0:
        return f"model.model.{0 if way == 'down' else 3}.{kind}"
    is_norm = layer == "2"
    if way == "down":
        place = 2 if is_norm else 1
    elif level == levels - 1:
        place = 4 if is_norm else 3  # the innermost level has nothing inside, and no normalization on its way down
    else:
        place = 6 if is_norm else 5
    return f"model.model.1.{'model.3.' * (level - 1)}model.{place}.{kind}"


UNET = Foreign(
    project="junyanz/pytorch-CycleGAN-and-pix2pix",
    only="--netG unet_256 or unet_128",
    read=_unet,
    theirs=_unet_name,
    idle=STATISTICS,
    swapped=r"^up\.[1-9]\d*\.1\.weight$",  # skips come before what is inside, ours after it
    dropout={True: {"dropout": "later"}, False: {"dropout": "none"}},
)


def _stargan(shapes: Shapes) -> Read:
    width, inputs = kernel(shapes, "main.0.weight")
    blocks = numbered(shapes, r"main\.\d+\.main\.0\.weight")
    made, _ = kernel(shapes, f"main.{15 + blocks}.weight")  # the last convolution
    if inputs <= made:
        raise Misfit(f"its first layer takes {inputs} channels, which leaves none for attributes")
    return Read((made, made), {"residual_blocks": blocks, "g_width": width}, num_labels=inputs - made)


STARGAN = Foreign(
    project="yunjey/stargan",
    only="the generator (…-G.ckpt)",
    read=_stargan,
    theirs=lambda ours, read: ours.replace("layers.", "main."),
    idle=STATISTICS,
)
