"""What upscaling very many pictures would cost, by simulation from a measured rate.

    python benchmarks/cluster_cost.py --rate 40 --pictures 1e9 --workers 1000

The simulation hands pieces of work to workers, one after the other, as Ray Data does. Workers die now and
then (exponentially distributed), start again, and do their piece again.
"""

import argparse
import heapq
import json
import random

PIECE = 64 * 64  # pictures: pieces of 64, taken together so that a billion can be simulated


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, required=True, help="pictures a second of one worker: measured")
    parser.add_argument("--pictures", type=float, default=1e9)
    parser.add_argument("--workers", type=int, default=1000, help="of one core each")
    parser.add_argument("--start", type=float, default=15.0, help="seconds until a worker is ready: measured")
    parser.add_argument(
        "--life", type=float, default=168.0, help="hours until a worker dies, in the mean: assumed"
    )
    parser.add_argument("--spread", type=float, default=0.2, help="of the workers' speeds, relative: assumed")
    parser.add_argument("--price", type=float, default=0.04, help="of a core for an hour: assumed")
    arguments = parser.parse_args()
    hours, deaths, lost = simulated(arguments)
    core_hours = hours * arguments.workers
    ideal = arguments.pictures / arguments.rate / 3600
    print(f"{arguments.pictures:,.0f} pictures with {arguments.workers:,} workers: {hours:,.1f} hours")
    print(f"{core_hours:,.0f} core hours, {core_hours * arguments.price:,.0f} of the price's currency")
    print(
        f"{deaths:,} deaths, {lost:,.1f} core hours of work done again; {ideal / core_hours:.1%} of the ideal"
    )
    print(json.dumps({**vars(arguments), "hours": hours, "core_hours": core_hours, "deaths": deaths}))


def simulated(settings: argparse.Namespace) -> tuple[float, int, float]:
    """Hours until the last piece is done, deaths, and core hours that were lost by them."""
    chance = random.Random(1)
    life = settings.life * 3600

    def worker() -> tuple[float, float]:
        rate = settings.rate * max(0.1, chance.gauss(1.0, settings.spread))
        return PIECE / rate, chance.expovariate(1 / life)  # seconds for a piece, and until it dies

    ready = []
    for _ in range(settings.workers):
        seconds, left = worker()
        ready.append((settings.start, seconds, settings.start + left))
    heapq.heapify(ready)
    pieces = -(-int(settings.pictures) // PIECE)
    end, deaths, lost = 0.0, 0, 0.0
    while pieces:
        now, seconds, death = heapq.heappop(ready)
        if now + seconds > death:
            deaths += 1
            lost += max(0.0, death - now) / 3600
            again = max(now, death) + settings.start
            seconds, left = worker()
            heapq.heappush(ready, (again, seconds, again + left))
            continue
        pieces -= 1
        end = max(end, now + seconds)
        heapq.heappush(ready, (now + seconds, seconds, death))
    return end / 3600, deaths, lost


if __name__ == "__main__":
    main()
