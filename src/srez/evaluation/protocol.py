"""How a figure is made. A figure without its protocol is not a figure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Protocol:
    """The choices behind PSNR, SSIM and consistency, printed with every number.

    Attributes:
        name: how the protocol is called in tables and cards.
        scale: HR size over LR size.
        colour: the channels compared: "RGB".
        border: pixels cropped from each side before comparing.
        peak: the largest value, for PSNR and SSIM.
        ssim_sigma: the Gaussian window of Wang et al. 2004, in pixels.
        ssim_window: the side of that window, in pixels.
    """

    name: str
    scale: int
    colour: str
    border: int
    peak: int = 255
    ssim_sigma: float = 1.5
    ssim_window: int = 11

    def __str__(self) -> str:
        return (
            f"{self.name}: x{self.scale}, outputs rounded to uint8, {self.colour}, border {self.border}, "
            f"PSNR peak {self.peak}, SSIM Gaussian {self.ssim_window}x{self.ssim_window} sigma "
            f"{self.ssim_sigma} without padding, averaged over images"
        )


FACES_RGB = Protocol(name="faces-rgb", scale=4, colour="RGB", border=0)
