import torch

from repro.experiments.operations import fake_mode
from repro.experiments.storages import LiveStorages


def work(storages):
    """Bytes after each of some statements, and the most so far."""
    seen = []

    def look():
        seen.append((storages.bytes, storages.peak))

    first = torch.zeros(10, 10)
    look()
    view = first[2:]
    look()
    second = first + 1
    look()
    del first
    look()
    del view
    look()
    second.add_(1)
    look()
    storages.begin_anew()
    look()
    return seen


def test_a_storage_counts_once_and_as_long_as_something_looks_at_it():
    expected = [(400, 400), (400, 400), (800, 800), (800, 800), (400, 800), (400, 800), (400, 400)]
    with LiveStorages() as storages:
        assert work(storages) == expected
    with fake_mode(), LiveStorages() as storages:
        assert work(storages) == expected


def test_what_autograd_keeps_is_alive():
    with LiveStorages() as storages:
        weight = torch.ones(25, requires_grad=True)
        result = (weight * 2).exp().sum()
        kept = storages.bytes
        del result
        assert storages.bytes == 100
        assert kept >= 200
