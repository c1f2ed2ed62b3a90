"""Upscale an array, and a batch of faces, in Python."""

import numpy as np
from PIL import Image
from skimage import data

import srez

upscaler = srez.load("faces")
face = data.astronaut()[54:182:8, 159:287:8]  # 16x16x3 uint8
Image.fromarray(upscaler(face)).save("face.png")

batch = np.stack([face, face[:, ::-1]]).astype(np.float32) / 255
print(upscaler.batch(batch).shape, upscaler.card.licence)
