"""Files of the PyTorch that runs this, and what each holds as JSON beside it, for any from 1.13 on.

    pytorch.py FOLDER
"""

import io
import json
import os
import sys

import torch

ROWS = torch.tensor([[1, 0, 2], [3, 4, 5]])
TYPES = [
    "bfloat16", "bool", "complex128", "complex32", "complex64", "float16", "float32", "float64", "float8_e4m3fn",
    "float8_e5m2", "int16", "int32", "int64", "int8", "uint16", "uint32", "uint64", "uint8",
]  # fmt: skip


def of_type(name):
    """The rows as elements of a type; `None` where this version has none of that name, or does not save it."""
    try:
        tensor = ROWS.to(getattr(torch, name))
        torch.save(tensor, io.BytesIO())
        return tensor
    except (AttributeError, KeyError):
        return None


def numbers(values):
    if isinstance(values, list):
        return [numbers(value) for value in values]
    return [values.real, values.imag] if isinstance(values, complex) else values


def dense(tensor):
    dtype = str(tensor.dtype)[len("torch.") :]
    return ["torch.Tensor", {"dtype": dtype, "data": numbers(tensor.detach().tolist())}]


def quantized(tensor):
    named, said = dense(tensor.int_repr())
    said["dtype"] = str(tensor.dtype)[len("torch.") :]
    return [named, dict(said, scale=tensor.q_scale(), zero_point=tensor.q_zero_point())]


def sparse(tensor, *names):
    parts = {name: dense(getattr(tensor, name)()) for name in names}
    layout = str(tensor.layout)[len("torch.") :]
    return ["torch.Tensor", dict(parts, layout=layout, shape=["torch.Size", list(tensor.shape)])]


def ordered(values):
    return ["collections.OrderedDict", values]


def state(module):
    """What `state_dict()` gives, whose versions are an attribute of it."""
    values = module.state_dict()
    versions = ordered({name: dict(version) for name, version in values._metadata.items()})
    return [
        "collections.OrderedDict",
        [{name: dense(tensor) for name, tensor in values.items()}, {"_metadata": versions}],
    ]


def main(folder):
    torch.manual_seed(7)
    cube = torch.arange(24.0).reshape(2, 3, 4)
    views = {
        "all": cube,
        "one": cube[1],
        "turned": cube.permute(2, 0, 1),
        "every other": cube[:, :, ::2],
        "scalar": torch.tensor(5),
    }
    types = {name: of_type(name) for name in TYPES}
    types = {name: tensor for name, tensor in types.items() if tensor is not None}
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    module(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    steps = optimizer.state_dict()
    told = dict(steps, state={
        str(number): {name: dense(value) for name, value in of.items()} for number, of in steps["state"].items()
    })  # fmt: skip
    checkpoint = {"epoch": 3, "model": module.state_dict(), "optimizer": steps, "loss": 0.5}
    eye = torch.eye(3)
    quanta = torch.quantize_per_tensor(torch.tensor([1.0, 2.0]), 0.1, 10, torch.quint8)
    others = {
        "coordinates": (eye.to_sparse().coalesce(), ["indices", "values"]),
        "rows": (eye.to_sparse_csr(), ["crow_indices", "col_indices", "values"]),
    }
    parameter = dense(torch.ones(2))
    files = {
        "types": (types, {name: dense(value) for name, value in types.items()}),
        "views": (views, {name: dense(value) for name, value in views.items()}),
        "checkpoint": (checkpoint, {"epoch": 3, "model": state(module), "optimizer": told, "loss": 0.5}),
        "parameter": (torch.nn.Parameter(torch.ones(2)), ["torch.nn.Parameter", parameter]),
        "quantized": (quanta, quantized(quanta)),
        "sparse": (
            {name: tensor for name, (tensor, _) in others.items()},
            {name: sparse(tensor, *names) for name, (tensor, names) in others.items()},
        ),
        "others": (
            [cube.shape, torch.float32, torch.device("cuda:1")],
            [["torch.Size", [2, 3, 4]], ["global", "torch.float32"], ["torch.device", "cuda:1"]],
        ),
    }
    for name, (value, said) in files.items():
        for form, is_zip in [("pt", True), ("legacy.pt", False)]:
            path = os.path.join(folder, name + "." + form)
            torch.save(value, path, _use_new_zipfile_serialization=is_zip)
            with open(path + ".json", "w") as out:
                json.dump(said, out)


main(sys.argv[1])
