"""Parquet files and their columns as arrays.

Axes: T rows, D channels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trimix.core.errors import DataError
from trimix.data.files import require_file


def numeric(table: pa.Table, where: str) -> dict[str, np.ndarray]:
    """Every column of numbers, bools or 1-D lists of them: (T,) or (T, D).

    Columns of text, images or deeper lists are left out.

    Raises:
        DataError: a row is empty or its list is longer or shorter than the others.
    """
    out = {}
    for name in table.column_names:
        column = table.column(name)
        kind = column.type
        if _is_list(kind) and _is_number(kind.value_type):
            out[name] = _matrix(column, f"{where} column {name!r}")
        elif _is_number(kind):
            _refuse_nulls(column, f"{where} column {name!r}")
            out[name] = column.to_numpy()
    return out


def _matrix(column: pa.ChunkedArray, where: str) -> np.ndarray:
    _refuse_nulls(column, where)
    lengths = pc.list_value_length(column).to_numpy()
    if len(lengths) and (lengths != lengths[0]).any():
        row = int(np.flatnonzero(lengths != lengths[0])[0])
        raise DataError(
            f"{lengths[row]} numbers, the rows before have {lengths[0]}", where=f"{where} row {row}"
        )
    flat = pc.list_flatten(column)
    if flat.null_count:
        row = int(np.flatnonzero(pc.is_null(flat).to_numpy())[0] // lengths[0])
        raise DataError("a number is missing", where=f"{where} row {row}")
    width = int(lengths[0]) if len(lengths) else 0
    values: np.ndarray = flat.to_numpy().reshape(len(column), width)
    return values


def _refuse_nulls(column: pa.ChunkedArray, where: str) -> None:
    if column.null_count:
        row = int(np.flatnonzero(pc.is_null(column).to_numpy())[0])
        raise DataError("the value is missing", where=f"{where} row {row}")


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    )


def read_names(path: Path) -> list[str]:
    """The names of a parquet file's columns.

    Raises:
        DataError: the file cannot be read.
    """
    require_file(path)
    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowInvalid, OSError) as fault:
        raise _broken(path, fault) from None


def read_table(path: Path, names: tuple[str, ...] | None = None) -> pa.Table:
    """A parquet file, or these columns of it.

    Raises:
        DataError: the file or a column is missing, or it cannot be read.
    """
    require_file(path)
    try:
        table = pq.read_table(path, columns=None if names is None else list(names))
    except (pa.ArrowInvalid, OSError) as fault:
        raise _broken(path, fault) from None
    absent = [n for n in names or () if n not in table.column_names]
    if absent:
        raise DataError(f"column {absent[0]!r} is missing", where=str(path))
    return table


def _broken(path: Path, fault: Exception) -> DataError:
    return DataError(
        f"the parquet file cannot be read ({str(fault).splitlines()[0]})",
        where=str(path),
        do="it is cut off or damaged: copy it again from its source",
    )
