"""How a figure is made. A figure without its protocol is not a figure."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Protocol:
    """The choices behind PSNR, SSIM and consistency, printed with every number.

    Attributes:
        name: how the protocol is called in tables and cards.
        scale: HR size over LR size.
        colour: the channels compared: "RGB", or "Y", MATLAB's `rgb2ycbcr` luma (BT.601, 16-235) rounded to
            uint8; a gray picture is compared as it is.
        border: pixels cropped from each side before comparing.
        reduction: how the inputs were made; consistency is measured only for "area", where it has a meaning.
        peak: the largest value, for PSNR and SSIM.
        ssim_sigma: the Gaussian window of Wang et al. 2004, in pixels.
        ssim_window: the side of that window, in pixels.
    """

    name: str
    scale: int
    colour: str
    border: int
    reduction: str
    peak: int = 255
    ssim_sigma: float = 1.5
    ssim_window: int = 11

    @property
    def least_side(self) -> int:
        """The least height and width of what can be measured, in pixels."""
        return self.ssim_window + 2 * self.border

    def __str__(self) -> str:
        return (
            f"{self.name}: x{self.scale}, inputs by {self.reduction}, outputs rounded to uint8, "
            f"{self.colour}, border {self.border}, PSNR peak {self.peak}, SSIM Gaussian "
            f"{self.ssim_window}x{self.ssim_window} sigma {self.ssim_sigma} without padding, averaged over "
            "images"
        )


FACES_RGB = Protocol(name="faces-rgb", scale=4, colour="RGB", border=0, reduction="area")
Y_MATLAB_X4 = Protocol(
    name="y-matlab-x4", scale=4, colour="Y of MATLAB's rgb2ycbcr", border=4, reduction="MATLAB's bicubic"
)
Y_PAIRS_X4 = replace(Y_MATLAB_X4, name="y-pairs-x4", reduction="as they were given")
