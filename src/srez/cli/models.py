"""`srez models`."""

import typer
from rich.table import Table

from srez.cli.display import out_console, print_json
from srez.cli.options import AsJson
from srez.models import box

app = typer.Typer()


@app.command(epilog="Example: `srez models`")
def models(as_json: AsJson = False) -> None:
    """List the models in the box: scale, size, licence, figures."""
    from srez.models import card

    cards = [card.read(box.find(name)) for name in box.names()]
    if as_json:
        print_json([card.as_dict(each) for each in cards])
        return
    table = Table("model", "scale", "parameters", "on", "PSNR", "SSIM")
    for each in cards:
        methods = {row["method"]: row for row in reversed(each.figures)}  # of the first set
        ours, bicubic = methods[each.name], methods["bicubic"]
        psnr = f"{ours['psnr']:.2f} dB\nbicubic {bicubic['psnr']:.2f}"
        ssim = f"{ours['ssim']:.4f}\n{bicubic['ssim']:.4f}"
        size = f"{each.parameters:,}"
        table.add_row(each.name, f"x{each.scale}", size, ours["set"], psnr, ssim)
    out_console.print(table)
    for each in cards:
        sets = ", ".join(dict.fromkeys(f"{row['set']} ({row['protocol']})" for row in each.figures))
        said = (
            f"{each.description}. Measured on {sets}. Licence of the weights: {each.licence}. {each.limits}"
        )
        out_console.print(f"{each.name}: {said}")
