"""Images per second of the training input, one thread, crop 513, from JPEG and palette PNG files of VOC's size.

Compares decoding and augmentation of `repro.data` with PIL and torchvision's transforms v1, as public DeepLab code has
them, and with bare JPEG decoding, which no loader that keeps JPEG files can beat. Also measured: the distance of our
crop-first order from the customary one, a batch's normalisation, and the time to draw an image of `shapes`.

    python -m tests.bench.loader [--rounds N] [--images N]
"""

import argparse
import random
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as v1

from repro.data import Augmentation, SegmentationDataset, Shapes, normalise, training_loader
from repro.data.reading import check_label, read_image, read_index_mask
from repro.data.spec import IMAGENET_MEAN, IMAGENET_STD, PAD_COLOUR, Colour
from tests.bench.timing import interleaved
from tests.data.plain_order import example, scale_pad_crop_flip

CROP = 513
SCALES = (0.5, 2.0)


class Folder(SegmentationDataset):
    """The files of one folder, read as VOC's are."""

    name = "folder"
    class_names = tuple(map(str, range(21)))
    palette: tuple[Colour, ...] = tuple((12 * value, 255 - 12 * value, 100) for value in range(21))

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__("train", sorted(path.stem for path in folder.glob("*.jpg")))

    def load(self, index: int) -> tuple[Tensor, Tensor]:
        """Reads and checks one pair of files."""
        path = self.folder / f"{self.ids[index]}.png"
        image, label = read_image(path.with_suffix(".jpg")), read_index_mask(path, COLOURS)
        check_label(label, self.num_classes, path)
        return image, label


COLOURS = {colour: index for index, colour in enumerate(Folder.palette)} | {(224, 224, 192): 255}


def write_files(folder: Path, images: int) -> Folder:
    """Fills the folder with pairs of a 500x375 JPEG (quality 90, about 100 kB) and a palette PNG."""
    for number in range(images):
        image, label = example(375, 500, number)
        Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()).save(folder / f"{number:03d}.jpg", quality=90)
        mask = Image.fromarray(label.numpy())
        mask.putpalette([level for colour in Folder.palette for level in colour])
        mask.save(folder / f"{number:03d}.png")
    sizes = [path.stat().st_size for path in folder.glob("*.jpg")]
    print(f"{images} images of 500x375, {np.mean(sizes) / 1000:.0f} kB per JPEG file")
    return Folder(folder)


def with_pil(image_path: Path, label_path: Path) -> tuple[Tensor, Tensor]:
    """The baseline: PIL images through scale, pad, crop, flip, to tensor and normalise of torchvision v1."""
    image: Image.Image = Image.open(image_path).convert("RGB")
    label: Image.Image = Image.open(label_path)
    scale = random.uniform(*SCALES)
    size = [round(image.height * scale), round(image.width * scale)]
    image = v1.resize(image, size, InterpolationMode.BILINEAR)
    label = v1.resize(label, size, InterpolationMode.NEAREST)
    missing = [0, 0, max(CROP - size[1], 0), max(CROP - size[0], 0)]
    if any(missing):
        image = v1.pad(image, missing, fill=PAD_COLOUR)
        label = ImageOps.expand(label, tuple(missing), fill=255)
    top, left = random.randint(0, image.height - CROP), random.randint(0, image.width - CROP)
    image, label = v1.crop(image, top, left, CROP, CROP), v1.crop(label, top, left, CROP, CROP)
    if random.random() < 0.5:
        image, label = v1.hflip(image), v1.hflip(label)
    tensor = v1.normalize(v1.to_tensor(image), IMAGENET_MEAN, IMAGENET_STD)
    return tensor, torch.from_numpy(np.array(label)).long()


def compare_speed(dataset: Folder, rounds: int) -> None:
    """Prints images per second of the baseline, of ours, and of the limits."""
    augmentation = Augmentation(CROP, SCALES)
    generator = np.random.default_rng(0)
    paths = [dataset.folder / f"{name}.jpg" for name in dataset.ids]
    count = len(paths)

    def ours() -> None:
        for index in range(count):
            augmentation(*dataset[index], generator)

    def ours_normalised() -> None:
        for index in range(count):
            image, label = augmentation(*dataset[index], generator)
            normalise(image[None]), label.long()

    medians = interleaved(
        {
            "PIL + torchvision v1 (float32, int64)": lambda: [
                with_pil(path, path.with_suffix(".png")) for path in paths
            ],
            "ours (uint8, normalised on the device)": ours,
            "ours, normalised here (float32, int64)": ours_normalised,
            "ours as batches of 8 from the loader": lambda: list(
                training_loader(dataset, augmentation, seed=0, batch_size=8, total_steps=count // 8)
            ),
            "limit: JPEG + label decoding": lambda: [dataset[index] for index in range(count)],
            "limit: JPEG decoding": lambda: [read_image(path) for path in paths],
        },
        rounds,
    )
    for name, milliseconds in medians.items():
        print(f"{name:40} {1000 * count / milliseconds:7.0f} images/s on one thread")


def compare_content(dataset: Folder) -> None:
    """Prints how far crop-first is from the customary order with the same draws."""
    generator = np.random.default_rng(0)
    augmentation = Augmentation(CROP, SCALES)
    grey_levels, differing = [], []
    for index in range(len(dataset)):
        image, label = dataset[index]
        height, width = label.shape
        window = augmentation.draw(height, width, generator)
        ours, our_label = augmentation.apply(image, label, window)
        plain, plain_label = scale_pad_crop_flip(image, label, window, CROP)
        grey_levels.append(float((ours.float() - plain.float()).abs().mean()))
        differing.append(100 * float((our_label != plain_label).float().mean()))
    print(
        f"against scale-pad-crop-flip with the same draws: {np.mean(grey_levels):.2f} grey levels on average,"
        f" {np.mean(differing):.2f} % of the labels differ"
    )


def time_shapes(rounds: int, images: int = 64) -> None:
    """Prints the time to draw an image of the built-in data set."""
    shapes = Shapes("train")
    median = interleaved({"shapes": lambda: [shapes[index] for index in range(images)]}, rounds)["shapes"]
    print(f"shapes: {median / images:.2f} ms per image of 192x192")


def main() -> None:
    """Runs all comparisons on one thread."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=32, help="files written; a multiple of 8")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        dataset = write_files(Path(folder), arguments.images)
        compare_speed(dataset, arguments.rounds)
        compare_content(dataset)
    time_shapes(arguments.rounds)


if __name__ == "__main__":
    main()
