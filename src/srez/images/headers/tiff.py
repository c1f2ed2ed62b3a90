"""TIFF and BigTIFF, https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf."""

from srez.images.headers.refusal import Data, Refusal, numbers, require

MOST_VALUES = 200_000  # of a tag that holds numbers, such as the places of strips
MOST_TAGS = 20_000  # of all directories
MOST_PAGES = 1_000  # more are not counted
LARGEST_TILE = 2048 * 2048  # pixels, if the picture is not larger itself
COPIES = 4  # of the file, that its tags may hold together

_BYTES = {1: 1, 2: 1, 6: 1, 7: 1}  # types and their lengths
_NUMBERS = {
    3: 2,
    4: 4,
    5: 8,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}  # converted one by one
_LENGTHS = _BYTES | _NUMBERS
_SUBFILE, _WIDTH, _HEIGHT, _TILE_WIDTH, _TILE_HEIGHT = 254, 256, 257, 322, 323
_REDUCED, _SHORT, _LONG = 1, 3, 4
_INTEROPERABILITY = 40965
_FOLDERS = {34665, 34853, _INTEROPERABILITY}  # EXIF data, GPS


def check(data: Data, max_pixels: int) -> int:
    """Bound tags, pages and the size of tiles; how many pages there are beside reduced copies."""
    del max_pixels
    reader = _Reader(data)
    tags, following = reader.directory(reader.first)
    _check_page(reader, tags)
    pages, whole = 1, 1
    while following:
        try:
            tags, following = reader.directory(following)
        except ValueError:
            break  # nothing there: the first page may be fine
        pages += 1
        require(pages, MOST_PAGES, "pages")
        if not tags.get(_SUBFILE, 0) & _REDUCED:
            whole += 1
            _check_page(reader, tags)
    return whole


def _check_page(reader: "_Reader", tags: dict[int, int]) -> None:
    tile = tags.get(_TILE_WIDTH, 0) * tags.get(_TILE_HEIGHT, 0)
    if tile > max(LARGEST_TILE, 4 * tags.get(_WIDTH, 0) * tags.get(_HEIGHT, 0)):
        raise Refusal("has tiles that are much larger than the picture")
    reader.check_folders(tags)


def check_exif(data: Data) -> None:
    """Bound the tags of EXIF data, which are stored like a TIFF without pixels."""
    reader = _Reader(data)
    reader.check_folders(reader.directory(reader.first)[0])


class _Reader:
    """Reads directories, and counts what they hold together.

    Attributes:
        first: where the first directory lies.
    """

    def __init__(self, data: Data) -> None:
        self._data = data
        self._order = "<" if data[:2] == b"II" else ">"
        self._is_big = 43 in (data[2], data[3])  # places have 64 bits
        self._place = self._order + ("Q" if self._is_big else "I")
        self._tags = self._held = 0
        (self.first,) = numbers(self._place, data, 8 if self._is_big else 4)

    def check_folders(self, tags: dict[int, int]) -> None:
        """Read the folders that a directory names."""
        for folder in _FOLDERS & tags.keys():
            try:
                inner, _ = self.directory(tags[folder])
                if _INTEROPERABILITY in inner:
                    self.directory(inner[_INTEROPERABILITY])
            except ValueError:
                continue  # damaged

    def directory(self, place: int) -> tuple[dict[int, int], int]:
        """The single numbers of a directory by tag, and where the next one lies; 0 if there is none.

        Raises:
            Refusal: it has too many tags, or one with too many numbers, or they hold too much.
            ValueError: it lies beyond the end.
        """
        data, order = self._data, self._order
        form, length, start = (order + "HHQ", 20, 8) if self._is_big else (order + "HHI", 12, 2)
        (count,) = numbers(order + ("Q" if self._is_big else "H"), data, place)
        first, end = place + start, place + start + count * length
        found: dict[int, int] = {}
        for entry in range(first, min(end, len(data) - length + 1), length):
            self._tags += 1
            require(self._tags, MOST_TAGS, "tags")
            tag, kind, values = numbers(form, data, entry)
            if kind in _NUMBERS:
                require(values, MOST_VALUES, f"values of one tag ({tag})")
            size = values * _LENGTHS.get(kind, 0)
            self._held += size if size <= len(data) else 0  # what is longer than the file is not read
            if self._held > COPIES * len(data):
                raise Refusal("has tags that hold more than the file")
            if values == 1 and kind in (_SHORT, _LONG):
                at = entry + (12 if self._is_big else 8)
                (found[tag],) = numbers(order + ("H" if kind == _SHORT else "I"), data, at)
        return found, numbers(self._place, data, end)[0] if end < len(data) else 0
