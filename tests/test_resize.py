"""Each resize kernel against an outside definition: TensorFlow 1's arithmetic written out, and Pillow's filters on float channels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ganeval.resize import RESIZE, bicubic_antialias, bilinear, bilinear_antialias, pillow_bicubic, resized, tf1_bilinear

SIZES = [(32, 32), (299, 299), (500, 375), (47, 640), (2, 3), (1024, 31)]


def picture(width: int, height: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, height, width)).astype(np.float32))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_tf1_bilinear_is_tensorflows_arithmetic(size: tuple[int, int]) -> None:
    image = picture(*size)[0].numpy()
    scale_x, scale_y = (np.float32(length / 299) for length in size)
    expected = np.empty((3, 299, 299), np.float32)
    for i in range(299):
        y = np.float32(i) * scale_y
        top, bottom = int(y), min(int(y) + 1, size[1] - 1)
        for j in range(299):
            x = np.float32(j) * scale_x
            left, right = int(x), min(int(x) + 1, size[0] - 1)
            above = image[:, top, left] + (image[:, top, right] - image[:, top, left]) * (x - np.float32(left))
            below = image[:, bottom, left] + (image[:, bottom, right] - image[:, bottom, left]) * (x - np.float32(left))
            expected[:, i, j] = above + (below - above) * (y - np.float32(top))
    np.testing.assert_array_equal(tf1_bilinear(picture(*size), 299, 299)[0].numpy(), expected)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    ("kernel", "pillow_filter"),
    [(bicubic_antialias, Image.Resampling.BICUBIC), (bilinear_antialias, Image.Resampling.BILINEAR)],
    ids=["bicubic", "bilinear"],
)
def test_antialiased_kernels_are_pillows_filters_on_float_channels(kernel, pillow_filter, size) -> None:  # type: ignore[no-untyped-def]
    image = picture(*size)
    expected = [np.asarray(Image.fromarray(channel.numpy()).resize((299, 299), pillow_filter)) for channel in image[0]]
    # In float64, since torch's bilinear makes its weights in the type of the images; torchmetrics, whose kernel it is, lives with that.
    np.testing.assert_allclose(kernel(image.double(), 299, 299)[0].numpy(), expected, atol=1e-3)  # gray levels of 255


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_bicubic_kernel_is_as_exact_in_float32(size: tuple[int, int]) -> None:
    image = picture(*size)
    torch.testing.assert_close(bicubic_antialias(image, 299, 299), bicubic_antialias(image.double(), 299, 299).float(), rtol=0, atol=1e-3)


def test_half_pixel_bilinear_takes_the_nearest_two_pixels_without_antialiasing() -> None:
    row = torch.tensor([0.0, 0.0, 90.0, 0.0, 0.0, 0.0]).expand(1, 1, 6, 6)
    # 6 → 3: samples at 0.5, 2.5, 4.5, halfway between two pixels each.
    torch.testing.assert_close(bilinear(row, 3, 3)[0, 0, 0], torch.tensor([0.0, 45.0, 0.0]))
    # 6 → 2: samples at 1 and 4 exactly; the bright pixel between them is not seen, as it would be with antialiasing.
    assert bilinear(row, 2, 2).max() == 0
    assert bilinear_antialias(row, 2, 2).max() > 0


@pytest.mark.parametrize("name", RESIZE)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_flat_picture_stays_flat_at_any_size(name: str, size: tuple[int, int]) -> None:
    flat = torch.full((2, 3, size[1], size[0]), 77.0)
    torch.testing.assert_close(RESIZE[name](flat, 32, 32), torch.full((2, 3, 32, 32), 77.0), rtol=1e-5, atol=0)


@pytest.mark.parametrize("name", RESIZE)
def test_a_picture_of_the_right_size_is_left_alone(name: str) -> None:
    torch.testing.assert_close(RESIZE[name](picture(299, 299), 299, 299), picture(299, 299), rtol=0, atol=1e-3)


@pytest.mark.parametrize("name", RESIZE)
@pytest.mark.parametrize("size", [*SIZES, (31, 1024), (5000, 7)], ids=str)
def test_two_matrix_products_do_what_the_kernel_does(name: str, size: tuple[int, int]) -> None:
    images = torch.cat([picture(*size), picture(*size).flip(3)]).to(torch.uint8)
    expected = RESIZE[name](images.float() / 255, 299, 224)
    # float32 keeps 6e-8 of a pixel of 1, in a sum of some tens with weights that add up to 1; and 6e-8 of a sample's position, which is up
    # to the length of a side, times a difference of neighbors of up to 1: torch's own bilinear moves by that with the number of threads.
    torch.testing.assert_close(resized(images, 299, 224, RESIZE[name], divisor=255), expected, rtol=0, atol=1e-6 + 2**-23 * max(size))


@pytest.mark.parametrize("size", [*SIZES, (300, 300), (1024, 1024), (1, 1)], ids=str)
@pytest.mark.parametrize("target", [(224, 224), (298, 336)], ids=str)
def test_pillow_bicubic_is_pillow_on_8_bits_bit_for_bit(size: tuple[int, int], target: tuple[int, int]) -> None:
    height, width = target
    image = picture(*size).to(torch.uint8)
    original = Image.fromarray(image[0].permute(1, 2, 0).numpy())
    # In two calls, the width first: in one, Pillow from 13 on may begin with the height.
    resized = original.resize((width, size[1]), Image.Resampling.BICUBIC).resize((width, height), Image.Resampling.BICUBIC)
    expected = torch.from_numpy(np.array(resized)).permute(2, 0, 1)
    assert torch.equal(pillow_bicubic(image, height, width)[0], expected)
    if size[0] == size[1] and height == width:
        assert np.array_equal(np.array(resized), np.array(original.resize((width, height), Image.Resampling.BICUBIC)))


def test_pillow_bicubic_of_black_and_white_pixels_stays_in_the_range_of_gray_levels() -> None:
    image = 255 * torch.randint(0, 2, (2, 3, 40, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    expected = [
        torch.from_numpy(np.array(Image.fromarray(one.permute(1, 2, 0).numpy()).resize((224, 224), Image.Resampling.BICUBIC)))
        for one in image
    ]
    assert torch.equal(pillow_bicubic(image, 224, 224), torch.stack(expected).permute(0, 3, 1, 2))
