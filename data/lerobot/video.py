"""Encoding, decoding and joining videos.

Axes: T frames, H x W pixels (origin top left), RGB uint8.
One frame a row, constant rate: frame t of an episode stands at t / fps after its start.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import Interpolation, VideoReformatter

from trimix.core.contracts import U8
from trimix.core.errors import DataError
from trimix.data.files import require_file, sync


@dataclass(frozen=True)
class VideoCodec:
    """How frames are encoded. One thread: the bytes must not depend on the machine's load.

    Args:
        encoder: FFmpeg's name of the encoder.
        name: what info.json calls the codec.
        crf: constant rate factor; lower is better and larger.
        gop: frames from one key frame to the next; 2 makes random access cheap.
        preset: speed of the encoder.
        full_colour_px: the largest side that keeps its colours at full resolution.
    """

    encoder: str = "libx264"
    name: str = "h264"
    crf: int = 18
    gop: int = 2
    preset: str = "ultrafast"

    full_colour_px: int = 128

    def pixel_format(self, height: int, width: int) -> str:
        """yuv444p for small pictures, yuv420p for large ones.

        Halving the colour planes costs 7 dB at 64 px (42.0 against 35.3 dB on real frames at
        crf 18), little at camera sizes; and it needs even sizes.
        """
        odd = height % 2 or width % 2
        return "yuv444p" if odd or max(height, width) <= self.full_colour_px else "yuv420p"


@dataclass(frozen=True)
class VideoFacts:
    """What a video file says of itself. frames counts its packets, not its header's promise."""

    frames: int
    fps: float
    height: int
    width: int


def encode(images: U8, fps: Fraction, codec: VideoCodec) -> bytes:
    """An mp4 file of the frames. images: (T, H, W, 3) uint8."""
    height, width = images.shape[1:3]
    buffer = io.BytesIO()
    with _new_mp4(buffer) as container:
        stream = container.add_stream(codec.encoder, rate=fps)
        stream.width, stream.height = width, height
        stream.pix_fmt = codec.pixel_format(height, width)
        stream.time_base = stream.codec_context.time_base = 1 / fps
        stream.codec_context.gop_size = codec.gop
        stream.codec_context.thread_count = 1
        stream.codec_context.max_b_frames = 0
        stream.options = {"crf": str(codec.crf), "preset": codec.preset, "flags": "+bitexact"}
        for t, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = t, 1 / fps
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def join(parts: Sequence[tuple[Path, int]], out: Path, fps: Fraction) -> None:
    """Write the packets of all parts, one after the other, without encoding them again.

    Args:
        parts: (file, number of frames) in order; all from the same encoder settings.
    """
    with out.open("wb") as file:
        with _new_mp4(file) as container:
            stream, done = None, 0
            for path, frames in parts:
                with _opened(path, "") as part:
                    source = part.streams.video[0]
                    if stream is None:
                        stream = container.add_stream_from_template(source)
                        stream.time_base = source.time_base
                    tick = int(1 / (fps * source.time_base))
                    for packet in part.demux(source):
                        if packet.size == 0:
                            continue
                        packet.pts += done * tick
                        packet.dts += done * tick
                        packet.stream = stream
                        container.mux(packet)
                done += frames
        sync(file)


def read(
    path: Path,
    start: int,
    count: int,
    fps: float,
    where: str = "",
    image_hw: tuple[int, int] | None = None,
) -> U8:
    """(count, H, W, 3) uint8: frames start .. start + count of a constant-rate video.

    Args:
        image_hw: what larger frames are shrunk to, each pixel the mean of the area under it.

    Raises:
        DataError: the file is missing, broken or shorter than that.
    """
    got: list[U8] = []
    to_rgb = _rgb_converter(image_hw)
    with _opened(path, where) as container:
        stream = container.streams.video[0]
        base = float(stream.time_base)
        origin = (stream.start_time or 0) * base
        if start > 0:
            container.seek(int((origin + (start - 0.5) / fps) / base), stream=stream)
        for frame in container.decode(stream):
            index = round((frame.pts * base - origin) * fps)
            if index < start:
                continue
            got.append(to_rgb(frame))
            if len(got) == count:
                return np.stack(got)
    raise too_short(path, count, len(got), where)


def too_short(path: Path, needed: int, found: int, where: str) -> DataError:
    """The error for a video that ends before its episode does."""
    return DataError(
        f"the video ends after {found} of the episode's {needed} frames",
        where=f"{path}{' ' + where if where else ''}",
        do="the file is cut off or belongs to another episode",
    )


def frames(path: Path, where: str = "") -> Iterator[U8]:
    """Every frame of a video in order, each (H, W, 3) uint8.

    Raises:
        DataError: the file is missing or broken.
    """
    to_rgb = _rgb_converter()
    with _opened(path, where) as container:
        for frame in container.decode(container.streams.video[0]):
            yield to_rgb(frame)


def probe(path: Path, where: str = "") -> VideoFacts:
    """Size, rate and number of frames of a video, without decoding it.

    Raises:
        DataError: the file is missing or broken.
    """
    with _opened(path, where) as container:
        stream = container.streams.video[0]
        count = sum(1 for packet in container.demux(stream) if packet.size)
        rate = stream.average_rate
        return VideoFacts(count, float(rate) if rate else 0.0, stream.height, stream.width)


_SHRINKING = (
    Interpolation.AREA
    # Without these the colour planes of yuv420p are taken nearest: 13 levels off instead of 2.
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.FULL_CHR_H_INT
    # The same bytes with every instruction set.
    | Interpolation.ACCURATE_RND
    | Interpolation.BITEXACT
)


def _rgb_converter(image_hw: tuple[int, int] | None = None) -> Callable[[Any], U8]:
    """Frame -> (H, W, 3) uint8. One converter for a whole file makes decoding 3 times faster.

    Shrinking in the same step costs a tenth of converting the whole frame and shrinking that.
    """
    reformatter: Any = VideoReformatter()

    def convert(frame: Any) -> U8:
        how: dict[str, Any] = {}
        if image_hw is not None and image_hw != (frame.height, frame.width):
            height, width = image_hw
            if height <= frame.height and width <= frame.width:
                how = {"width": width, "height": height, "interpolation": _SHRINKING}
        pixels: U8 = reformatter.reformat(frame, format="rgb24", threads=1, **how).to_ndarray()
        return pixels

    return convert


def _new_mp4(file: BinaryIO) -> Any:
    """An mp4 container without a writer's version or a date in it."""
    return av.open(file, "w", format="mp4", options={"fflags": "+bitexact"})


@contextmanager
def _opened(path: Path, where: str) -> Iterator[Any]:
    place = f"{path}{' ' + where if where else ''}"
    require_file(path, "the video", place)
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise DataError("the file holds no video", where=place)
            decoder = container.streams.video[0].codec_context
            if decoder is None:
                raise DataError("no decoder for the video's codec", where=place)
            decoder.thread_count = 1
            yield container
    except FFmpegError as fault:
        raise DataError(
            f"the video cannot be decoded ({fault.strerror})",
            where=place,
            do="copy the file again from its source, or leave its episodes out with skip_bad=true",
        ) from fault
