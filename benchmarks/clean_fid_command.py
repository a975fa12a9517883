"""clean-fid on two folders, from the command line, which it does not have itself, with the network in a folder instead of a download.

python benchmarks/clean_fid_command.py REAL FAKE FOLDER DEVICE
"""

import sys

import torch
from cleanfid.fid import compute_fid
from cleanfid.inception_torchscript import InceptionV3W

if __name__ == "__main__":
    real, fake, folder, name = sys.argv[1:]
    device = torch.device(name)
    network = InceptionV3W(folder, download=False, resize_inside=False).eval().to(device)
    value = compute_fid(real, fake, mode="clean", device=device, custom_feat_extractor=network, use_dataparallel=False, verbose=False)
    print(f"FID: {value}")  # noqa: T201 - a command
