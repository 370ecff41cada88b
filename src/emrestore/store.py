"""Arrays on disk: NetCDF (HDF5) files with named axes, coordinates, units and the parameters that made them."""

import json
from pathlib import Path

import xarray as xr

from emrestore.errors import EmrestoreError


def write(dataset: xr.Dataset, path: Path, parameters: dict) -> None:
    """Write a dataset, compressed without loss, with its parameters as JSON in the attribute ``parameters``."""
    dataset = dataset.assign_attrs(parameters=json.dumps(parameters, sort_keys=True))
    encoding = {
        name: {"zlib": True, "complevel": 1, "shuffle": True}
        for name in dataset.data_vars
        if dataset[name].ndim and dataset[name].dtype.kind not in "OU"
    }
    dataset.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def read(path: Path) -> xr.Dataset:
    """Read a whole dataset into memory.

    Raises
    ------
    EmrestoreError
        If the file is missing, truncated or of another kind.
    """
    try:
        return xr.load_dataset(path, engine="h5netcdf")
    except (OSError, ValueError) as error:
        raise EmrestoreError(
            f"{path} cannot be read as a NetCDF file ({error}); delete it and make it again"
        ) from error


def parameters(dataset: xr.Dataset) -> dict:
    """Give the parameters that made a dataset."""
    return json.loads(dataset.attrs["parameters"])
